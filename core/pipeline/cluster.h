// What Kubernetes tells of the cluster that this machine is in, or is asked about.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/identity/kube_store.h"
#include "core/k8s/access.h"
#include "core/k8s/watcher.h"
#include "core/model/status.h"

namespace orb8 {

// Of one thread at a time; not the store, which says itself whose it is.
class Cluster {
 public:
  using Clock = std::chrono::steady_clock;

  // As `config.kube` says; null where that is off, or where nothing points to a cluster. Otherwise
  // it is watched, however long it is away. What stands in the way of that is logged, said by
  // component() and tried again by tick(): a node's kubeconfig may be written after the agent has
  // started, and flows are worth having without names.
  static std::unique_ptr<Cluster> open(const Config& config, k8s::AccessPlaces places);

  // Goes on trying, where nobody is asked yet.
  void tick(Clock::time_point now);

  KubeStore& store() noexcept { return store_; }
  Component component() const;
  WatchCounters counters() const;

 private:
  Cluster(const Config& config, k8s::AccessPlaces places);
  Result<void> watch();

  const k8s::AccessPlaces places_;
  const std::string node_;  // whose pods are watched; empty: all nodes'
  KubeStore store_;
  std::string problem_;  // why nobody is asked
  Clock::time_point next_try_;
  std::unique_ptr<k8s::Watcher> watcher_;  // last: it feeds the store
};

}  // namespace orb8
