// What Kubernetes tells of the cluster that this machine is in, or is asked about.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/identity/kube_store.h"
#include "core/k8s/access.h"
#include "core/k8s/watcher.h"
#include "core/model/status.h"

namespace orb8 {

class Cluster {
 public:
  // As `config.kube` says; null where that is off, or where nothing says which API server to ask.
  // From then on it is watched, however long it is away. What stands in the way of that is logged,
  // and said by component(): flows are worth having without names.
  static std::unique_ptr<Cluster> open(const Config& config);

  KubeStore& store() noexcept { return store_; }
  Component component() const;
  WatchCounters counters() const;

 private:
  explicit Cluster(const Config& config);
  Result<void> watch(const k8s::Access& access, const Config& config);

  KubeStore store_;
  std::string problem_;                    // why nobody is asked
  std::unique_ptr<k8s::Watcher> watcher_;  // last: it feeds the store
};

}  // namespace orb8
