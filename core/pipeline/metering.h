// The flow metrics on the pipeline's thread: what it counts, and where others ask for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/config/config.h"
#include "core/flow/flow_table.h"
#include "core/identity/kube_store.h"
#include "core/metrics/flow_meter.h"
#include "core/model/status.h"
#include "core/pipeline/desk.h"
#include "core/pipeline/flow_desk.h"

namespace orb8 {

// The pipeline's thread's, but for collect(). Where the settings allow no series it does nothing.
class Metering {
 public:
  // `kube` null: not in Kubernetes. `wake` as Desk has it.
  Metering(const Config& config, const KubeStore* kube, std::function<void()> wake);

  bool is_on() const noexcept { return meter_.has_value(); }
  void set_time(std::int64_t now_ns, std::int64_t wall_ns) {
    if (meter_) meter_->set_time(now_ns, wall_ns);
  }
  // What a record moved of a flow, also of one that was just pushed out of the table.
  void count(const Flow& flow, const FlowMeter::Moved& moved) {
    if (meter_) meter_->add(flow, moved);
  }
  // A flow's socket was closed.
  void count_end(const Flow& flow, const FlowTable& table);
  // Every few seconds.
  void expire();

  bool is_asked() const { return desk_.wanted(); }
  void answer_readers() {
    if (is_asked()) desk_.answer([this] { return share(); });
  }
  void finish() { desk_.finish(share()); }
  void tell(Status& status) const;

  // Any thread: the flow metrics. Without them, or without how many flows there are, where the
  // pipeline's thread does not answer for seconds; and where nothing is counted.
  void collect(FlowDesk& flows, const TakeFamilyFn& take);

 private:
  std::shared_ptr<const MeterSnapshot> share();

  const KubeStore* kube_;
  std::size_t max_series_;
  std::optional<FlowMeter> meter_;
  std::uint64_t counted_socket_ = 0;  // whose connection was counted last
  Desk<MeterSnapshot> desk_;
};

}  // namespace orb8
