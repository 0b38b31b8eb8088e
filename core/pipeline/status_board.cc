// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/status_board.h"

#include <utility>

namespace orb8 {

Status StatusBoard::status() const {
  Status status;
  {
    const std::lock_guard lock(mutex_);
    status = status_;
  }
  // What changes between snapshots without the pipeline's doing.
  status.subscribers = static_cast<std::uint32_t>(parts_.hub.subscribers());
  status.subscriber_drops = parts_.hub.dropped();
  status.events_dropped += status.subscriber_drops;
  return status;
}

void StatusBoard::publish(const Result<void>& collected, std::int64_t now_ns) {
  Status status;
  status.source = parts_.source.status();
  auto& seen = status.source.accounting;
  if (status.source.counted_by_table) seen.counted = parts_.path.moved();
  const auto& table = parts_.table;
  lost_.observe(seen.lost.packets, now_ns);
  evicted_.observe(table.evicted(), now_ns);
  untracked_.observe(status.source.sockets_untracked, now_ns);
  unseen_.observe(parts_.path.ended_unseen(), now_ns);
  const Component collect{.name = "flow-source",
                          .healthy = collected.has_value(),
                          .reason = collected ? "" : collected.error().what};
  status.components = {collect,
                       lost_.component(now_ns),
                       evicted_.component(now_ns),
                       unseen_.component(now_ns),
                       untracked_.component(now_ns),
                       parts_.packet_orders.component()};
  status.components.insert(status.components.end(), status.source.components.begin(),
                           status.source.components.end());
  add_names(status.components);
  add_kubernetes(status, now_ns);
  status.events_processed = parts_.path.events_processed();
  status.events_dropped = seen.lost.packets + seen.packet_events_lost;
  status.flows_evicted = table.evicted();
  status.flows_expired = table.expired();
  status.flows_ended_unseen = parts_.path.ended_unseen();
  status.active_flows = static_cast<std::uint32_t>(table.size());
  status.max_flows = parts_.max_flows;
  status.history_flows = static_cast<std::uint32_t>(parts_.history.size());
  status.history_overwritten = parts_.history.overwritten();
  status.history_from_ns = parts_.history.complete_from_ns();
  status.started_ns = started_ns_;
  parts_.metering.tell(status);
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

// Names that are missing are said, and are no reason to call the agent ill: flows are complete.
void StatusBoard::add_names(std::vector<Component>& all) const {
  auto names = parts_.identity.components();
  if (const auto* conntrack = parts_.namer.conntrack()) names.push_back(conntrack->component());
  if (!no_conntrack_.empty()) names.push_back({.name = "conntrack", .reason = no_conntrack_});
  for (auto& component : names) {
    component.healthy = true;
    all.push_back(std::move(component));
  }
}

void StatusBoard::add_kubernetes(Status& status, std::int64_t now_ns) {
  if (parts_.kube != nullptr) {
    const auto known = parts_.kube->counts();
    pods_evicted_.observe(known.evicted_pods, now_ns);
    status.components.push_back(pods_evicted_.component(now_ns));
    status.pods_tracked = static_cast<std::uint32_t>(known.pods);
    status.pods_evicted = known.evicted_pods;
  }
  if (parts_.cluster != nullptr) {
    status.components.push_back(parts_.cluster->component());
    status.kubernetes = parts_.cluster->counters();
  }
}

}  // namespace orb8
