// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/cluster.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "core/k8s/access.h"

namespace orb8 {

Cluster::Cluster(const Config& config)
    : store_({.max_pods = config.max_pod_cache,
              .node = config.node_name,
              .labels = config.labels,
              .node_only = config.pod_scope == PodScope::kNode}) {}

std::unique_ptr<Cluster> Cluster::open(const Config& config) {
  if (config.kube == KubeChoice::kOff) return nullptr;
  const auto access = k8s::find_access(k8s::AccessPlaces::of_process());
  if (!access && access.error().code == Errc::kNotFound) {
    spdlog::info("Not in Kubernetes: {}", access.error().what);
    return nullptr;
  }
  std::unique_ptr<Cluster> cluster(new Cluster(config));
  auto ok = access ? cluster->watch(*access, config) : std::unexpected(access.error());
  if (!ok) {
    cluster->problem_ = ok.error().what;
    spdlog::error("Kubernetes is not asked for names: {}", cluster->problem_);
  }
  return cluster;
}

Result<void> Cluster::watch(const k8s::Access& access, const Config& config) {
  const bool all = config.pod_scope == PodScope::kAll;
  auto watcher = k8s::Watcher::start(access, {.node = all ? "" : config.node_name}, store_);
  if (!watcher) return std::unexpected(watcher.error());
  watcher_ = std::move(*watcher);
  return {};
}

Component Cluster::component() const {
  if (watcher_) return watcher_->component();
  return {.name = "kubernetes", .healthy = false, .reason = problem_};
}

WatchCounters Cluster::counters() const {
  return watcher_ ? watcher_->counters() : WatchCounters{};
}

}  // namespace orb8
