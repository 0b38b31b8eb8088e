// SPDX-License-Identifier: Apache-2.0
#include "core/export/open_metrics.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "core/export/scrape_format.h"

namespace orb8 {
namespace {

const MetricInfo kBytes = {.name = "orb8_bytes_total",
                           .help = "\"Bytes\".",
                           .unit = "By",
                           .labels = {"workload"},
                           .type = MetricType::kCounter};
const MetricInfo kUptime = {.name = "orb8_uptime_seconds",
                            .help = "Since then.",
                            .unit = "s",
                            .labels = {},
                            .type = MetricType::kGauge};
const MetricInfo kRtt = {.name = "orb8_rtt_seconds",
                         .help = "Times.",
                         .unit = "s",
                         .labels = {},
                         .type = MetricType::kHistogram};

TEST(OpenMetrics, HasTheFamiliesNamesTheSamplesSuffixesAndAnEnd) {
  static constexpr std::array kBounds = {0.0001, 1.0};
  const auto text = open_metrics_text([](const TakeFamilyFn& take) {
    MetricFamily bytes{.info = kBytes, .samples = {}};
    bytes.add({{"workload", "a\"b\\c\nd"}, {"peer_namespace", ""}}, UINT64_MAX, 0);
    bytes.add({{"namespace", ""}, {"pod", ""}, {"workload", "web"}}, std::uint64_t{0}, 0);
    take(bytes);
    MetricFamily uptime{.info = kUptime, .samples = {}};
    uptime.add({}, 1.5, 0);
    take(uptime);
    MetricFamily rtt{.info = kRtt, .samples = {}};
    const HistogramValue times{.bounds = kBounds, .counts = {1, 2, 4}, .sum = 12.25};
    rtt.add({}, times, 0);
    rtt.add({{"workload", "web"}}, times, 0);
    take(rtt);
  });
  EXPECT_EQ(text, R"(# TYPE orb8_bytes counter
# HELP orb8_bytes \"Bytes\".
orb8_bytes_total{workload="a\"b\\c\nd"} 18446744073709551615
orb8_bytes_total{namespace="",pod="",workload="web"} 0
# TYPE orb8_uptime_seconds gauge
# HELP orb8_uptime_seconds Since then.
orb8_uptime_seconds 1.5
# TYPE orb8_rtt_seconds histogram
# HELP orb8_rtt_seconds Times.
orb8_rtt_seconds_bucket{le="0.0001"} 1
orb8_rtt_seconds_bucket{le="1.0"} 3
orb8_rtt_seconds_bucket{le="+Inf"} 7
orb8_rtt_seconds_count 7
orb8_rtt_seconds_sum 12.25
orb8_rtt_seconds_bucket{workload="web",le="0.0001"} 1
orb8_rtt_seconds_bucket{workload="web",le="1.0"} 3
orb8_rtt_seconds_bucket{workload="web",le="+Inf"} 7
orb8_rtt_seconds_count{workload="web"} 7
orb8_rtt_seconds_sum{workload="web"} 12.25
# EOF
)");
}

TEST(OpenMetrics, EndsThoughNothingIsCollected) {
  EXPECT_EQ(open_metrics_text([](const TakeFamilyFn&) {}), "# EOF\n");
}

TEST(ScrapeFormat, IsOpenMetricsForWhomWantsThatMost) {
  for (const auto* accept :
       {"application/openmetrics-text",
        "Application/OpenMetrics-Text; Version=1.0.0 ; charset=utf-8",
        // Prometheus 2.42 and 3.0
        "application/openmetrics-text;version=1.0.0,application/"
        "openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/"
        "openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"}) {
    EXPECT_EQ(scrape_format(accept), ScrapeFormat::kOpenMetrics) << accept;
  }
}

TEST(ScrapeFormat, IsPlainTextForAllOthers) {
  for (const auto* accept :
       {"", "*/*", "text/plain", "text/html, */*;q=0.8", "application/openmetrics-text, */*",
        "application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;q=0.3,text/plain;q=0.5", "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=much", "application/openmetrics-text;q=7",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"}) {
    EXPECT_EQ(scrape_format(accept), ScrapeFormat::kText) << accept;
  }
}

TEST(ScrapeFormat, TakesAnyBytes) {
  std::mt19937 random(7);
  const std::string whole = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1";
  for (int round = 0; round < 5000; ++round) {
    auto bytes = whole.substr(0, random() % (whole.size() + 1));
    for (int i = 0; i < 3 && !bytes.empty(); ++i) {
      bytes[random() % bytes.size()] = "\0\xff;,=\t q."[random() % 9];
    }
    const auto format = scrape_format(bytes);
    EXPECT_TRUE(format == ScrapeFormat::kText || format == ScrapeFormat::kOpenMetrics);
  }
}

}  // namespace
}  // namespace orb8
