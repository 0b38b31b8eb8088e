// Metrics as a receiver decodes them, over a real connection.
// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_metric_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "core/base/eventually.h"
#include "core/export/otlp_metrics.h"
#include "core/export/otlp_receiver.h"

namespace orb8 {
namespace {

using namespace std::chrono_literals;
using opentelemetry::proto::metrics::v1::Metric;

constexpr std::array kBounds = {0.1, 1.0};

const MetricInfo& bytes_info() {
  static const MetricInfo info{.name = "orb8_network_bytes_total",
                               .help = "Bytes.",
                               .unit = "By",
                               .labels = {"namespace"},
                               .type = MetricType::kCounter};
  return info;
}

std::string as_text(const MetricInfo& info, const std::vector<MetricSample>& samples) {
  Metric metric;
  to_otlp(info, samples, 500, metric);
  return metric.ShortDebugString();
}

TEST(OtlpMetrics, MakeACounterAMonotonicCumulativeSum) {
  EXPECT_EQ(as_text(bytes_info(), {{.labels = {{"namespace", "shop"}, {"pod", ""}},
                                    .value = std::uint64_t{42},
                                    .start_ns = 100}}),
            "name: \"orb8_network_bytes_total\" description: \"Bytes.\" unit: \"By\" "
            "sum { data_points { start_time_unix_nano: 100 time_unix_nano: 500 as_int: 42 "
            "attributes { key: \"namespace\" value { string_value: \"shop\" } } } "
            "aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE is_monotonic: true }");
}

TEST(OtlpMetrics, MakeAGaugeAGauge) {
  const MetricInfo info{.name = "load", .help = "Load.", .unit = "1", .type = MetricType::kGauge};
  EXPECT_EQ(
      as_text(info, {{.labels = {}, .value = 0.5}, {.labels = {}, .value = std::uint64_t{2}}}),
      "name: \"load\" description: \"Load.\" unit: \"1\" "
      "gauge { data_points { time_unix_nano: 500 as_double: 0.5 } "
      "data_points { time_unix_nano: 500 as_int: 2 } }");
}

TEST(OtlpMetrics, KeepTheBoundsAndBucketsOfAHistogram) {
  const MetricInfo info{
      .name = "rtt", .help = "Time.", .unit = "s", .type = MetricType::kHistogram};
  const HistogramValue value{.bounds = kBounds, .counts = {3, 2, 1}, .sum = 4.5};
  EXPECT_EQ(as_text(info, {{.labels = {}, .value = value, .start_ns = 100}}),
            "name: \"rtt\" description: \"Time.\" unit: \"s\" "
            "histogram { data_points { start_time_unix_nano: 100 time_unix_nano: 500 count: 6 "
            "sum: 4.5 bucket_counts: 3 bucket_counts: 2 bucket_counts: 1 explicit_bounds: 0.1 "
            "explicit_bounds: 1 } aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE }");
}

class OtlpMetricExporterTest : public ::testing::Test {
 protected:
  void start(std::chrono::nanoseconds interval, std::size_t series = 1) {
    auto tally = std::make_shared<ExportTally>("otlp-metrics", receiver_.url());
    const auto open = [endpoint = OtlpEndpoint{.url = receiver_.url()}] {
      return open_otlp_grpc(endpoint);
    };
    const auto collect = [this, series](const TakeFamilyFn& take) {
      MetricFamily family{.info = bytes_info(), .samples = {}};
      const auto value = ++collected_;
      for (std::size_t i = 0; i < series; ++i) {
        family.samples.push_back({.labels = {{"namespace", std::to_string(i)}},
                                  .value = std::uint64_t{value},
                                  .start_ns = 100});
      }
      take(family);
    };
    exporter_ = std::make_unique<OtlpMetricExporter>(
        OtlpMetricExporter::Parts{
            .collect = collect,
            .identity = {.node = "node-1", .version = "0.1.0", .instance = "i"},
            .sender = OtlpSender(open, {.first = 1ms, .most = 10ms, .all = 5s}, tally),
            .tally = tally},
        interval);
  }

  OtlpScript script_;
  OtlpGrpcReceiver receiver_{script_};
  std::atomic<std::uint64_t> collected_ = 0;
  std::unique_ptr<OtlpMetricExporter> exporter_;
};

TEST_F(OtlpMetricExporterTest, ReportsEachIntervalAndOnceMoreAtTheEnd) {
  start(20ms);
  ASSERT_TRUE(eventually([&] { return script_.metrics().size() >= 2; }));
  exporter_->stop_by(Exporter::Clock::now() + 20s);
  const auto reports = script_.metrics();
  EXPECT_EQ(reports.size(), collected_.load());
  const auto& last = reports.back().resource_metrics(0);
  EXPECT_EQ(last.resource().attributes(0).value().string_value(), "orb8-agent");
  EXPECT_EQ(last.scope_metrics(0).scope().name(), "orb8");
  const auto& point = last.scope_metrics(0).metrics(0).sum().data_points(0);
  EXPECT_EQ(static_cast<std::uint64_t>(point.as_int()), collected_.load());
  EXPECT_EQ(exporter_->status().exported, reports.size());
}

TEST_F(OtlpMetricExporterTest, ReportsManySeriesInSeveralRequestsAndEachOnce) {
  constexpr std::size_t kSeries = 2 * OtlpMetricExporter::kMostInRequest + 7;
  start(1h, kSeries);
  exporter_->stop_by(Exporter::Clock::now() + 20s);
  std::set<std::string> seen;
  for (const auto& report : script_.metrics()) {
    for (const auto& metric : report.resource_metrics(0).scope_metrics(0).metrics()) {
      EXPECT_EQ(metric.name(), "orb8_network_bytes_total");
      for (const auto& point : metric.sum().data_points()) {
        EXPECT_TRUE(seen.insert(point.attributes(0).value().string_value()).second);
      }
    }
  }
  EXPECT_EQ(script_.metrics().size(), 3U);
  EXPECT_EQ(seen.size(), kSeries);
  EXPECT_EQ(exporter_->status().exported, kSeries);
}

TEST_F(OtlpMetricExporterTest, GivesUpTheRestOfAReportThatWasRefused) {
  constexpr std::size_t kSeries = 2 * OtlpMetricExporter::kMostInRequest;
  script_.say({{.code = 3, .message = "no"}});
  start(1h, kSeries);
  exporter_->stop_by(Exporter::Clock::now() + 20s);
  EXPECT_EQ(script_.requests(), 1U);
  EXPECT_EQ(exporter_->status().failed, OtlpMetricExporter::kMostInRequest);
  EXPECT_EQ(exporter_->status().dropped, OtlpMetricExporter::kMostInRequest);
}

TEST_F(OtlpMetricExporterTest, EndsAtItsDeadlineWithAReceiverThatHangs) {
  script_.say({{.hang = true}});
  start(1h);
  const auto began = Exporter::Clock::now();
  exporter_->stop_by(began + 100ms);
  EXPECT_LT(Exporter::Clock::now() - began, 10s);
  EXPECT_EQ(exporter_->status().dropped, 1U);
}

}  // namespace
}  // namespace orb8
