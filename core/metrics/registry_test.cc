// The table of metrics, and docs/METRICS.md, which shows it.
// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/registry.h"

#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/documented.h"
#include "core/metrics/process_metrics.h"
#include "core/metrics/status_metrics.h"

namespace orb8 {
namespace {

TEST(Registry, NamesEachMetricOnceAsPrometheusDoes) {
  std::set<std::string_view> names;
  for (const auto& info : registry()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(info.name.starts_with("orb8_") || info.name.starts_with("process_")) << info.name;
    EXPECT_EQ(info.name.ends_with("_total"), info.type == MetricType::kCounter) << info.name;
    EXPECT_EQ(info.name.find("_bytes") != info.name.npos, info.unit == "By") << info.name;
    EXPECT_EQ(info.name.find("_seconds") != info.name.npos, info.unit == "s") << info.name;
    EXPECT_TRUE(info.help.ends_with('.')) << info.name;
    // prometheus-cpp does not escape it.
    EXPECT_EQ(info.help.find_first_of("\\\n|"), info.help.npos) << info.name;
    EXPECT_FALSE(info.unit.empty()) << info.name;
  }
}

// Over OTLP a gauge with the unit 1 is a ratio, which Prometheus' translation puts behind its name.
// What is in braces it leaves out.
TEST(Registry, HasNoGaugeThatIsRenamedOnItsWayOverOtlp) {
  for (const auto& info : registry()) {
    EXPECT_TRUE(info.type != MetricType::kGauge || info.unit != "1") << info.name;
  }
}

TEST(Registry, LabelsNothingByAddressOrPort) {
  for (const auto& info : registry()) {
    for (const auto label : info.labels) {
      const auto words = "_" + std::string(label) + "_";  // "exporter" is no port
      EXPECT_TRUE(words.find("_ip_") == words.npos && words.find("_port_") == words.npos &&
                  words.find("_addr") == words.npos)
          << info.name << " has " << label;
    }
  }
}

// With something in each list, all of the agent's own metrics are told, in order and once.
TEST(Registry, HasExactlyTheMetricsThatAreCollected) {
  Status status;
  status.components = {{.name = "flow-source"}};
  status.kubernetes.emplace();
  status.source.maps = {{.name = "orb8_flows_v4"}};
  status.source.rings = {{.name = "orb8_packets"}};
  status.source.runs = {{.program = "network_probe"}};
  status.exporters = {{.name = "file", .target = "/var/log/flows.json"}};
  std::vector<std::string_view> told;
  const auto take = [&](const MetricFamily& family) {
    told.push_back(family.info.name);
    for (const auto& sample : family.samples) {
      std::vector<std::string_view> labels;
      for (const auto& label : sample.labels) labels.push_back(label.name);
      EXPECT_EQ(labels, family.info.labels) << family.info.name;
    }
  };
  collect_status_metrics(status, {}, 0, take);
  collect_process_metrics(take);
  std::vector<std::string_view> expected;
  for (const auto& info : registry().subspan(std::to_underlying(MetricId::kMetricsSeries))) {
    expected.push_back(info.name);
  }
  EXPECT_EQ(told, expected);
}

// What is lost of packets is no event, and the sum over an event's causes is one of events.
TEST(StatusMetrics, TellPacketsThatWereLostAmongPacketsAlone) {
  Status status;
  status.source.accounting.lost.packets = 7;
  status.source.accounting.packet_events_lost = 2;
  status.subscriber_drops = 3;
  std::map<std::string, std::uint64_t> values;
  collect_status_metrics(status, {}, 0, [&](const MetricFamily& family) {
    for (const auto& sample : family.samples) {
      const auto* value = std::get_if<std::uint64_t>(&sample.value);
      if (value == nullptr || *value == 0) continue;
      values[std::string(family.info.name) + " " + sample.labels.at(0).value] = *value;
    }
  });
  const std::map<std::string, std::uint64_t> expected = {
      {"orb8_events_dropped_total ring_full", 2},
      {"orb8_events_dropped_total slow_subscriber", 3},
      {"orb8_probe_packets_total lost", 7}};
  std::erase_if(values, [](const auto& one) { return !one.first.contains("_total "); });
  EXPECT_EQ(values, expected);
}

TEST(StatusMetrics, TellWhatBecameOfEachExportersRecordsAndOfTheHistory) {
  Status status;
  status.exporters = {{.name = "file", .target = "f", .exported = 1, .dropped = 2, .failed = 3},
                      {.name = "otlp-logs", .target = "u", .exported = 4}};
  status.history_flows = 5;
  status.history_overwritten = 6;
  std::map<std::string, std::uint64_t> told;
  collect_status_metrics(status, {}, 0, [&](const MetricFamily& family) {
    for (const auto& sample : family.samples) {
      std::string name(family.info.name);
      for (const auto& label : sample.labels) name += " " + label.value;
      if (const auto* whole = std::get_if<std::uint64_t>(&sample.value)) told[name] = *whole;
    }
  });
  EXPECT_EQ(told["orb8_exporter_records_total file exported"], 1U);
  EXPECT_EQ(told["orb8_exporter_records_total file dropped"], 2U);
  EXPECT_EQ(told["orb8_exporter_records_total file failed"], 3U);
  EXPECT_EQ(told["orb8_exporter_records_total otlp-logs exported"], 4U);
  EXPECT_TRUE(told.contains("orb8_exporter_records_total otlp-logs failed")) << "0, and there";
  EXPECT_EQ(told["orb8_history_flows"], 5U);
  EXPECT_EQ(told["orb8_history_overwritten_total"], 6U);
}

TEST(ProcessMetrics, TellWhatThisProcessTakes) {
  std::map<std::string_view, double> values;
  collect_process_metrics([&](const MetricFamily& family) {
    const auto& value = family.samples.at(0).value;
    const auto* whole = std::get_if<std::uint64_t>(&value);
    values[family.info.name] = whole ? static_cast<double>(*whole) : std::get<double>(value);
  });
  EXPECT_GT(values["process_resident_memory_bytes"], 1e6);
  EXPECT_GT(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GE(values["process_max_fds"], values["process_open_fds"]);
  EXPECT_GE(values["process_threads"], 1);
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_NEAR(values["process_start_time_seconds"], now, 600) << "a test takes no longer";
}

constexpr const char* kPage = "docs/METRICS.md";  // tests run in the project's folder
constexpr std::string_view kBegin = "<!-- metrics: made from the code, see registry_test.cc -->\n";
constexpr std::string_view kEnd = "<!-- end of metrics -->\n";

// ORB8_WRITE_DOCS=1 writes the page instead of comparing it.
TEST(Registry, IsAllInTheDocumentation) {
  expect_documented({.page = kPage, .begin = kBegin, .end = kEnd}, registry_markdown(),
                    "metrics_test");
}

}  // namespace
}  // namespace orb8
