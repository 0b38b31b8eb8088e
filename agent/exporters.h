// The exporters that the configuration asks for, over a pipeline.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/export/export_tally.h"
#include "core/export/exporter.h"
#include "core/export/flow_sink.h"
#include "core/metrics/metric.h"
#include "core/model/status.h"
#include "core/pipeline/pipeline.h"

namespace orb8 {

class Exporters {
 public:
  // `metrics`: empty, or where OTLP's metrics come from. kInvalid: settings that do not go
  // together. A place that cannot be reached or written is no error: it is tried again, and told.
  static Result<std::unique_ptr<Exporters>> start(const Config& config,
                                                  std::shared_ptr<Pipeline> pipeline,
                                                  CollectFn metrics);

  // Any thread. Each exporter, with its component: a failing one degrades the agent's health, and
  // no more. What one lost is in its own counts alone, as what lives on is told again.
  void add_to(Status& status) const;
  Status add_to(Status&& status) const;

  void begin_stop();  // once the pipeline has stopped
  void stop_by(Exporter::Clock::time_point deadline);

 private:
  explicit Exporters(std::shared_ptr<Pipeline> pipeline) : pipeline_(std::move(pipeline)) {}
  Result<void> add_flows(const Config& config, std::unique_ptr<FlowSink> sink,
                         std::shared_ptr<ExportTally> tally);
  Result<void> add_file(const Config& config);
  Result<void> add_otlp(const Config& config, CollectFn metrics);

  std::shared_ptr<Pipeline> pipeline_;
  std::vector<std::unique_ptr<Exporter>> all_;  // last: they use it
};

}  // namespace orb8
