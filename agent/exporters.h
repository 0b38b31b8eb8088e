// The exporters that the configuration asks for, over a pipeline.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/export/export_tally.h"
#include "core/export/exporter.h"
#include "core/export/flow_sink.h"
#include "core/export/otlp_attributes.h"
#include "core/export/otlp_sender.h"
#include "core/metrics/metric.h"
#include "core/model/status.h"
#include "core/pipeline/pipeline.h"

namespace orb8 {

class Exporters {
 public:
  // kInvalid: settings that do not go together. A place that cannot be reached or written is no
  // error: it is tried again, and told.
  static Result<std::unique_ptr<Exporters>> start(const Config& config,
                                                  std::shared_ptr<Pipeline> pipeline);

  // Any thread. Each exporter, with its component: a failing one degrades the agent's health, and
  // no more. What one lost is in its own counts alone, as what lives on is told again.
  void add_to(Status& status) const;
  Status add_to(Status&& status) const;

  // Any thread. Every metric of the registry: the pipeline's and, in what the status tells, these.
  void collect_metrics(const TakeFamilyFn& take) const;

  void begin_stop();  // once the pipeline has stopped
  void stop_by(Exporter::Clock::time_point deadline);

 private:
  explicit Exporters(std::shared_ptr<Pipeline> pipeline) : pipeline_(std::move(pipeline)) {}
  Result<void> add_flows(const Config& config, std::unique_ptr<FlowSink> sink,
                         std::shared_ptr<ExportTally> tally);
  Result<void> add_file(const Config& config);
  Result<void> add_otlp(const Config& config);
  void add_otlp_metrics(const Config& config, const OtlpIdentity& identity,
                        const OtlpSender::OpenFn& open);
  std::shared_ptr<ExportTally> add_tally(std::string name, std::string target);

  std::shared_ptr<Pipeline> pipeline_;
  // Complete before the one begins that tells of all: it does so on a thread of its own.
  std::vector<std::shared_ptr<ExportTally>> tallies_;
  std::vector<std::unique_ptr<Exporter>> all_;  // last: they use it
};

}  // namespace orb8
