// Random traffic and random scrapes: whoever adds up what the series showed has what moved.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics/flow_meter.h"

namespace orb8 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

EndpointRef pod(int number) {
  return std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kPod,
                                                   .name_space = "n" + std::to_string(number % 3),
                                                   .name = "p" + std::to_string(number),
                                                   .uid = "u" + std::to_string(number),
                                                   .workload = "w" + std::to_string(number / 2)});
}

// What Prometheus would say of one counter: a series that is new, or began anew, counts from zero.
class Scraper {
 public:
  void scrape(const MeterSnapshot& snapshot) {
    std::map<std::pair<LabelSet, std::int64_t>, std::uint64_t> now;
    std::size_t series = 0;
    snapshot.for_each([&](const MeterRow& row) {
      const auto& bytes = now[{*row.labels, row.start_ns}] = row.counters.bytes;
      const auto before = last_.find({*row.labels, row.start_ns});
      if (before != last_.end()) {
        EXPECT_GE(bytes, before->second) << "a counter went backwards";
      }
      total_ += bytes - (before == last_.end() ? 0 : before->second);
      if (!row.labels->starts_with(std::string("other") + '\0')) series += series_of(row.parts);
    });
    last_ = std::move(now);
    series_ = series;
  }
  std::uint64_t total() const { return total_; }
  std::size_t series() const { return series_; }

 private:
  std::map<std::pair<LabelSet, std::int64_t>, std::uint64_t> last_;
  std::uint64_t total_ = 0;
  std::size_t series_ = 0;
};

class FlowMeterProperty : public ::testing::TestWithParam<unsigned> {};

TEST_P(FlowMeterProperty, SumsWhatMovedWithinItsBounds) {
  std::mt19937 random(GetParam());
  const auto below = [&](unsigned n) { return random() % n; };
  const std::size_t max_series = 3 + below(80);
  FlowMeter meter({.max_series = max_series, .grace_ns = 90 * kSecond});
  std::array<EndpointRef, 24> pods;
  for (std::size_t i = 0; i < pods.size(); ++i) pods.at(i) = pod(static_cast<int>(i));
  Scraper scraper;
  std::int64_t now_ns = kSecond;
  std::uint64_t moved = 0;
  for (int step = 0; step < 4000; ++step) {
    // A start of its own for each step, so that a row that comes back is told from the one before.
    meter.set_time(now_ns += static_cast<std::int64_t>(below(20)) * kSecond, step);
    Flow flow;
    flow.key.protocol = below(2) == 0 ? IPPROTO_TCP : IPPROTO_UDP;
    flow.key.direction = below(2) == 0 ? Direction::kEgress : Direction::kIngress;
    flow.socket.rtt_us = below(3) == 0 ? 100 : 0;
    flow.owners = FlowOwners{.src = pods.at(below(24)), .dst = pods.at(below(24))};
    const std::uint64_t bytes = below(1000);
    meter.add(flow, {.packets = 1, .bytes = bytes});
    moved += bytes;
    if (below(7) == 0) meter.add_connection(flow);
    if (below(11) == 0) {
      meter.expire([&](const std::string& uid) { return uid.ends_with('3'); });
    }
    EXPECT_LE(meter.series(), max_series);
    if (below(5) == 0) scraper.scrape(*meter.share());
  }
  scraper.scrape(*meter.share());
  EXPECT_EQ(scraper.total(), moved);
  EXPECT_EQ(scraper.series(), meter.series());
}

INSTANTIATE_TEST_SUITE_P(Seeds, FlowMeterProperty, ::testing::Range(0U, 20U));

}  // namespace
}  // namespace orb8
