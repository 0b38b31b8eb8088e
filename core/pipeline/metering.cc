// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/metering.h"

#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "core/metrics/flow_families.h"

namespace orb8 {
namespace {

// Less than Prometheus waits for a scrape, and far more than it takes to get to the next record.
constexpr auto kPatience = std::chrono::seconds(3);

bool has(const Config& config, MetricsLabel label) {
  return std::ranges::find(config.metrics_labels, label) != config.metrics_labels.end();
}

FlowMeter::Options to_options(const Config& config) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return {.own = {.name_space = has(config, MetricsLabel::kNamespace),
                  .pod = has(config, MetricsLabel::kPod),
                  .workload = has(config, MetricsLabel::kWorkload),
                  .node = has(config, MetricsLabel::kNode),
                  .node_name = config.node_name},
          .max_series = config.metrics_max_series,
          .grace_ns = config.metrics_grace_secs * kNsPerSecond};
}

FlowKey other_direction(FlowKey key) {
  std::swap(key.src, key.dst);
  std::swap(key.src_port, key.dst_port);
  key.direction = key.direction == Direction::kEgress ? Direction::kIngress : Direction::kEgress;
  return key;
}

}  // namespace

Metering::Metering(const Config& config, const KubeStore* kube, std::function<void()> wake)
    : kube_(kube), max_series_(config.metrics_max_series), desk_(std::move(wake)) {
  if (max_series_ > 0) meter_.emplace(to_options(config));
}

// A connection is two flows, and both are told to be closed, what was sent first. The other one
// counts where nothing was sent, or that flow was pushed out of the table before; not where it was
// just now, by the other one itself.
void Metering::count_end(const Flow& flow, const FlowTable& table) {
  if (!meter_ || flow.key.protocol != IPPROTO_TCP) return;
  const bool sent = flow.key.direction == Direction::kEgress;
  if (!sent && (counted_socket_ == flow.key.socket || table.find(other_direction(flow.key))))
    return;
  counted_socket_ = flow.key.socket;
  meter_->add_connection(flow);
}

void Metering::expire() {
  if (!meter_) return;
  meter_->expire([this](const std::string& uid) {
    if (kube_ == nullptr) return false;
    const auto pod = kube_->pod_with_uid(uid);
    return !pod || pod->finished;
  });
}

std::shared_ptr<const MeterSnapshot> Metering::share() {
  return meter_ ? meter_->share() : nullptr;
}

void Metering::tell(Status& status) const {
  status.metric_max_series = static_cast<std::uint32_t>(max_series_);
  if (!meter_) return;
  status.metric_series = static_cast<std::uint32_t>(meter_->series());
  status.metric_series_folded = meter_->folded();
  status.metric_series_expired = meter_->expired();
}

void Metering::collect(FlowDesk& flows, const TakeFamilyFn& take) {
  if (!meter_) return;
  const auto& own = meter_->own();  // never changes
  const auto rows = desk_.ask(kPatience);
  if (!rows) return;
  const auto now = flows.ask(false, kPatience);
  if (!now.live) return collect_flow_metrics(*rows, nullptr, own, max_series_, take);
  ActiveFlows active(own);
  now.live->for_each([&](const Flow& flow) { active.add(flow); });
  collect_flow_metrics(*rows, &active, own, max_series_, take);
}

}  // namespace orb8
