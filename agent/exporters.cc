// SPDX-License-Identifier: Apache-2.0
#include "agent/exporters.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/version.h"
#include "core/config/values.h"
#include "core/export/file_sink.h"
#include "core/export/flow_exporter.h"
#include "core/export/otlp_log_sink.h"
#include "core/export/otlp_metric_exporter.h"

namespace orb8 {
namespace {

FileSink::Fsync to_fsync(ExportFsync choice) {
  switch (choice) {
    case ExportFsync::kNever:
      return FileSink::Fsync::kNever;
    case ExportFsync::kAlways:
      return FileSink::Fsync::kAlways;
    case ExportFsync::kInterval:
      break;
  }
  return FileSink::Fsync::kInterval;
}

OtlpEndpoint to_endpoint(const Config& config) {
  return {.url = config.otlp_endpoint,
          .headers = config.otlp_headers,
          .ca_file = config.otlp_ca_file,
          .cert_file = config.otlp_cert_file,
          .key_file = config.otlp_key_file,
          .gzip = config.otlp_compression,
          .timeout = std::chrono::seconds(config.otlp_timeout_secs)};
}

// Of two with one name the latter counts.
std::map<std::string, std::string, std::less<>> to_attributes(
    const std::vector<std::string>& texts) {
  std::map<std::string, std::string, std::less<>> all;
  for (const auto& text : texts) {
    if (auto one = parse_attribute(text)) all.insert_or_assign(one->first, one->second);
  }
  return all;
}

// A row is as old as the last snapshot, and the socket source may need two.
std::chrono::milliseconds lag_of(const Config& config) {
  return std::max(std::chrono::milliseconds(10'000),
                  std::chrono::milliseconds(2 * config.snapshot_interval_ms));
}

}  // namespace

Result<std::unique_ptr<Exporters>> Exporters::start(const Config& config,
                                                    std::shared_ptr<Pipeline> pipeline) {
  std::unique_ptr<Exporters> made(new Exporters(std::move(pipeline)));
  if (!config.export_file.empty()) {
    if (auto ok = made->add_file(config); !ok) return std::unexpected(ok.error());
  }
  if (!config.otlp_endpoint.empty()) {
    if (auto ok = made->add_otlp(config); !ok) return std::unexpected(ok.error());
  }
  return made;
}

Result<void> Exporters::add_flows(const Config& config, std::unique_ptr<FlowSink> sink,
                                  std::shared_ptr<ExportTally> tally) {
  auto ends = pipeline_->subscribe(FlowExporter::wanted_events(config.export_queue_size));
  if (!ends) return std::unexpected(ends.error());
  const auto status = tally->status();
  spdlog::info("Exporting flows to {} ({})", status.target, status.name);
  all_.push_back(std::make_unique<FlowExporter>(
      FlowExporter::Parts{.ends = std::move(*ends),
                          .flows = [pipeline = pipeline_.get()] { return pipeline->flows(); },
                          .sink = std::move(sink),
                          .tally = std::move(tally)},
      FlowExporter::Options{.interval = std::chrono::seconds(config.export_interval_secs),
                            .lag = lag_of(config)}));
  return {};
}

Result<void> Exporters::add_file(const Config& config) {
  auto tally = add_tally("file", config.export_file);
  auto sink = std::make_unique<FileSink>(
      RotatingFile::Options{.path = config.export_file,
                            .max_size = config.export_file_max_size,
                            .keep = config.export_file_keep,
                            .sync = config.export_file_fsync != ExportFsync::kNever},
      to_fsync(config.export_file_fsync), tally);
  return add_flows(config, std::move(sink), std::move(tally));
}

Result<void> Exporters::add_otlp(const Config& config) {
  if (config.otlp_cert_file.empty() != config.otlp_key_file.empty()) {
    return fail(Errc::kInvalid,
                "otlp_cert_file and otlp_key_file belong together; give both or neither");
  }
  const auto open = [endpoint = to_endpoint(config), protocol = config.otlp_protocol] {
    return protocol == OtlpProtocol::kGrpc ? open_otlp_grpc(endpoint) : open_otlp_http(endpoint);
  };
  // What can never be is said now; a certificate may come later.
  if (const auto first = open(); !first && first.error().code == Errc::kInvalid) {
    return std::unexpected(first.error());
  }
  const OtlpIdentity identity{.node = config.node_name,
                              .version = std::string(version()),
                              .instance = random_uuid(),
                              .kubernetes = pipeline_->kube() != nullptr,
                              .more = to_attributes(config.otlp_resource_attributes)};
  const auto wants = [&](std::string_view signal) {
    return std::ranges::find(config.otlp_signals, signal) != config.otlp_signals.end();
  };
  if (wants("logs")) {
    auto tally = add_tally("otlp-logs", config.otlp_endpoint);
    auto sink = std::make_unique<OtlpLogSink>(identity, OtlpSender(open, {}, tally));
    if (auto ok = add_flows(config, std::move(sink), std::move(tally)); !ok) return ok;
  }
  if (wants("metrics")) add_otlp_metrics(config, identity, open);  // last: see tallies_
  return {};
}

void Exporters::add_otlp_metrics(const Config& config, const OtlpIdentity& identity,
                                 const OtlpSender::OpenFn& open) {
  const std::chrono::seconds interval(config.otlp_interval_secs);
  auto tally = add_tally("otlp-metrics", config.otlp_endpoint);
  // A report that is late is one that the next one replaces.
  OtlpSender sender(open, {.all = interval}, tally);
  spdlog::info("Exporting metrics to {} (otlp-metrics)", config.otlp_endpoint);
  all_.push_back(std::make_unique<OtlpMetricExporter>(
      OtlpMetricExporter::Parts{
          .collect = [this](const TakeFamilyFn& take) { collect_metrics(take); },
          .identity = identity,
          .sender = std::move(sender),
          .tally = std::move(tally)},
      interval));
}

std::shared_ptr<ExportTally> Exporters::add_tally(std::string name, std::string target) {
  return tallies_.emplace_back(std::make_shared<ExportTally>(std::move(name), std::move(target)));
}

void Exporters::collect_metrics(const TakeFamilyFn& take) const {
  pipeline_->collect_metrics(take, [this](Status& status) { add_to(status); });
}

void Exporters::add_to(Status& status) const {
  for (const auto& tally : tallies_) {
    auto one = tally->status();
    status.components.push_back(
        {.name = "export-" + one.name, .healthy = one.healthy, .reason = one.reason});
    status.exporters.push_back(std::move(one));
  }
}

Status Exporters::add_to(Status&& status) const {
  add_to(status);
  return std::move(status);
}

void Exporters::begin_stop() {
  for (const auto& exporter : all_) exporter->begin_stop();
}

void Exporters::stop_by(Exporter::Clock::time_point deadline) {
  begin_stop();
  for (const auto& exporter : all_) exporter->stop_by(deadline);
}

}  // namespace orb8
