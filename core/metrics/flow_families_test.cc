// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/flow_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/metrics/flow_meter.h"
#include "core/metrics/registry.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

EndpointRef pod(const std::string& workload) {
  return std::make_shared<const Endpoint>(
      Endpoint{.kind = EndpointKind::kPod, .name_space = "shop", .name = "", .workload = workload});
}

Flow sent(const EndpointRef& from, const EndpointRef& to) {
  Flow flow;
  flow.key.protocol = IPPROTO_TCP;
  flow.key.direction = Direction::kEgress;
  flow.owners = FlowOwners{.src = from, .dst = to};
  return flow;
}

class FlowFamilies : public ::testing::Test {
 protected:
  void collect() {
    names_.clear();
    families_.clear();
    const auto take = [&](const MetricFamily& family) {
      names_.push_back(family.info.name);
      for (const auto& sample : family.samples) {
        std::vector<std::string_view> labels;
        for (const auto& label : sample.labels) labels.push_back(label.name);
        std::vector<std::string_view> expected = {"namespace", "pod", "workload"};
        expected.insert(expected.end(), family.info.labels.begin(), family.info.labels.end());
        EXPECT_EQ(labels, expected) << family.info.name;
      }
      families_.emplace(family.info.name, family.samples);
    };
    collect_flow_metrics(*meter_.share(), &active_, own_, max_series_, take);
  }

  // Of a metric, its values by the peer's workload, or the last label.
  std::map<std::string, std::uint64_t> values(std::string_view name) const {
    std::map<std::string, std::uint64_t> all;
    for (const auto& sample : families_.at(std::string(name))) {
      all[sample.labels.back().value] = std::get<std::uint64_t>(sample.value);
    }
    return all;
  }

  const OwnLabels own_;
  std::size_t max_series_ = 100;
  FlowMeter meter_{{}};
  ActiveFlows active_{own_};
  std::vector<std::string_view> names_;
  std::map<std::string, std::vector<MetricSample>> families_;
  EndpointRef web_ = pod("web");
  EndpointRef db_ = pod("db");
  EndpointRef mail_ = pod("mail");
};

TEST_F(FlowFamilies, HaveTheirRegistrysOrderAndLabels) {
  auto flow = sent(web_, db_);
  flow.socket = {.rtt_us = 300, .state = TCP_CLOSE, .old_state = TCP_LAST_ACK};
  meter_.set_time(1, 77);
  meter_.add(flow, {.packets = 2, .bytes = 200, .retransmits = 1});
  meter_.add_connection(flow);
  active_.add(flow);
  collect();
  std::vector<std::string_view> expected;
  for (const auto& info : registry().first(6)) expected.push_back(info.name);
  EXPECT_EQ(names_, expected);
  EXPECT_THAT(values("orb8_network_bytes_total"), ElementsAre(Pair("db", 200)));
  EXPECT_THAT(values("orb8_network_packets_total"), ElementsAre(Pair("db", 2)));
  EXPECT_THAT(values("orb8_network_connections_total"),
              ElementsAre(Pair("established", 1), Pair("failed", 0), Pair("reset", 0)));
  EXPECT_THAT(values("orb8_tcp_retransmits_total"), ElementsAre(Pair("db", 1)));
  EXPECT_THAT(values("orb8_active_flows"), ElementsAre(Pair("db", 1)));
  const auto& rtt = families_.at("orb8_tcp_rtt_seconds").at(0);
  EXPECT_EQ(rtt.start_ns, 77);
  const auto& histogram = std::get<HistogramValue>(rtt.value);
  EXPECT_DOUBLE_EQ(histogram.sum, 0.0003);
  EXPECT_THAT(histogram.counts, ElementsAre(0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(histogram.counts.size(), histogram.bounds.size() + 1);
}

TEST_F(FlowFamilies, ShowAsManySeriesAsTheMeterSays) {
  auto flow = sent(web_, db_);
  flow.socket.rtt_us = 300;
  meter_.add(flow, {.packets = 1, .bytes = 1});
  meter_.add_connection(flow);
  meter_.add(sent(web_, mail_), {.packets = 1, .bytes = 1});
  collect();
  std::size_t series = 0;
  for (const auto& [name, samples] : families_) {
    for (const auto& sample : samples) {
      const auto* histogram = std::get_if<HistogramValue>(&sample.value);
      series += histogram == nullptr ? 1 : histogram->counts.size() + 2;
    }
  }
  EXPECT_EQ(series, meter_.series());
}

TEST_F(FlowFamilies, CountActiveFlowsUnderTheirPresentNames) {
  meter_.add(sent(web_, db_), {.packets = 1, .bytes = 1});
  active_.add(sent(web_, db_));
  active_.add(sent(web_, db_));
  active_.add(sent(web_, mail_));  // named after it last moved
  collect();
  EXPECT_THAT(values("orb8_active_flows"), UnorderedElementsAre(Pair("db", 2), Pair("mail", 1)));
}

TEST_F(FlowFamilies, LeaveOutActiveFlowsThatNobodyCounted) {
  meter_.add(sent(web_, db_), {.packets = 1, .bytes = 1});
  std::vector<std::string_view> names;
  collect_flow_metrics(*meter_.share(), nullptr, own_, max_series_,
                       [&](const MetricFamily& family) { names.push_back(family.info.name); });
  EXPECT_THAT(names, ElementsAre("orb8_network_bytes_total", "orb8_network_packets_total",
                                 "orb8_tcp_retransmits_total"));
}

TEST_F(FlowFamilies, CountActiveFlowsInOtherWhereThereIsNoRoom) {
  max_series_ = 4;
  meter_.add(sent(web_, db_), {.packets = 1, .bytes = 1});
  active_.add(sent(web_, db_));
  active_.add(sent(web_, mail_));
  collect();
  EXPECT_THAT(values("orb8_active_flows"), UnorderedElementsAre(Pair("db", 1), Pair("other", 1)));
}

}  // namespace
}  // namespace orb8
