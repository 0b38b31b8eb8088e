// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/cluster.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace orb8 {

namespace {

constexpr std::chrono::seconds kPause(5);  // between two tries

}  // namespace

Cluster::Cluster(const Config& config, k8s::AccessPlaces places)
    : places_(std::move(places)),
      node_(config.pod_scope == PodScope::kAll ? "" : config.node_name),
      store_({.max_pods = config.max_pod_cache,
              .node = config.node_name,
              .labels = config.labels,
              .node_only = config.pod_scope == PodScope::kNode}) {}

std::unique_ptr<Cluster> Cluster::open(const Config& config, k8s::AccessPlaces places) {
  if (config.kube == KubeChoice::kOff) return nullptr;
  const auto access = k8s::find_access(places);
  if (!access && access.error().code == Errc::kNotFound) {
    spdlog::info("Not in Kubernetes: {}", access.error().what);
    return nullptr;
  }
  std::unique_ptr<Cluster> cluster(new Cluster(config, std::move(places)));
  cluster->tick(Clock::now());
  return cluster;
}

void Cluster::tick(Clock::time_point now) {
  if (watcher_ || now < next_try_) return;
  next_try_ = now + kPause;
  const auto ok = watch();
  if (!ok && problem_ != ok.error().what) {
    spdlog::error(
        "Kubernetes is not asked for names: {} (tried again every {} s; where no cluster is meant, "
        "set kube to off)",
        ok.error().what, kPause.count());
  }
  problem_ = ok ? "" : ok.error().what;
}

Result<void> Cluster::watch() {
  const auto access = k8s::find_access(places_);
  if (!access) return std::unexpected(access.error());
  auto watcher = k8s::Watcher::start(*access, {.node = node_}, store_);
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
