// SPDX-License-Identifier: Apache-2.0
#include "core/export/prometheus.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

namespace orb8 {
namespace {

const MetricInfo kBytes = {.name = "orb8_bytes_total",
                           .help = "Bytes.",
                           .unit = "By",
                           .labels = {"workload"},
                           .type = MetricType::kCounter};
const MetricInfo kFlows = {
    .name = "orb8_flows", .help = "Flows.", .unit = "1", .labels = {}, .type = MetricType::kGauge};
const MetricInfo kRtt = {.name = "orb8_rtt_seconds",
                         .help = "Times.",
                         .unit = "s",
                         .labels = {},
                         .type = MetricType::kHistogram};

TEST(PrometheusText, WritesEachTypeAndEscapesWhatMustBe) {
  static constexpr std::array kBounds = {0.001, 0.5};
  const auto text = prometheus_text([](const TakeFamilyFn& take) {
    MetricFamily bytes{.info = kBytes, .samples = {}};
    bytes.add({{"workload", "a\"b\\c\nd"}, {"peer_namespace", ""}}, std::uint64_t{1} << 53U, 0);
    bytes.add({{"workload", "web"}}, std::uint64_t{0}, 0);
    take(bytes);
    MetricFamily flows{.info = kFlows, .samples = {}};
    flows.add({}, 1.5, 0);
    take(flows);
    MetricFamily rtt{.info = kRtt, .samples = {}};
    rtt.add({}, HistogramValue{.bounds = kBounds, .counts = {1, 2, 4}, .sum = 12.25}, 0);
    take(rtt);
  });
  EXPECT_EQ(text, R"(# HELP orb8_bytes_total Bytes.
# TYPE orb8_bytes_total counter
orb8_bytes_total{workload="a\"b\\c\nd"} 9007199254740992
orb8_bytes_total{workload="web"} 0
# HELP orb8_flows Flows.
# TYPE orb8_flows gauge
orb8_flows 1.5
# HELP orb8_rtt_seconds Times.
# TYPE orb8_rtt_seconds histogram
orb8_rtt_seconds_count 7
orb8_rtt_seconds_sum 12.25
orb8_rtt_seconds_bucket{le="0.001"} 1
orb8_rtt_seconds_bucket{le="0.5"} 3
orb8_rtt_seconds_bucket{le="+Inf"} 7
)");
}

// With honor_labels a label that is told, though it is empty, is not filled in with the target's.
TEST(PrometheusText, TellsTheLabelsThatATargetHasThoughTheyAreEmpty) {
  const auto text = prometheus_text([](const TakeFamilyFn& take) {
    MetricFamily bytes{.info = kBytes, .samples = {}};
    bytes.add({{"namespace", ""}, {"pod", ""}, {"peer_namespace", ""}}, std::uint64_t{1}, 0);
    take(bytes);
  });
  EXPECT_TRUE(text.ends_with("\norb8_bytes_total{namespace=\"\",pod=\"\"} 1\n")) << text;
}

TEST(PrometheusText, IsEmptyWhereNothingIsCollected) {
  EXPECT_EQ(prometheus_text([](const TakeFamilyFn&) {}), "");
}

}  // namespace
}  // namespace orb8
