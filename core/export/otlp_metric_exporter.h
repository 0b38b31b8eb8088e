// Metrics to an OTLP receiver, all of them each interval and once more at the end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/export/export_tally.h"
#include "core/export/export_thread.h"
#include "core/export/exporter.h"
#include "core/export/otlp_attributes.h"
#include "core/export/otlp_sender.h"
#include "core/metrics/metric.h"

namespace orb8 {

// Its counts are of data points. A report that cannot be handed over is lost, and no more than
// that: the next tells all there is to tell since the agent's start.
class OtlpMetricExporter final : public Exporter {
 public:
  struct Parts {
    CollectFn collect;
    OtlpIdentity identity;
    OtlpSender sender;
    std::shared_ptr<ExportTally> tally;  // the sender's
  };
  // Some 300 KiB.
  static constexpr std::size_t kMostInRequest = 1000;

  OtlpMetricExporter(Parts parts, std::chrono::nanoseconds interval);

  ExporterStatus status() const override { return parts_.tally->status(); }
  void begin_stop() override { thread_.begin_stop(); }
  void stop_by(Clock::time_point deadline) override { thread_.stop_by(deadline); }

 private:
  struct Part {
    std::string request;  // serialized: a tenth of what the messages take
    std::uint64_t points = 0;
  };
  std::vector<Part> collect() const;
  void report(const std::stop_token& give_up);

  Parts parts_;
  ExportThread thread_;  // last: it uses all of the above
};

}  // namespace orb8
