// The data path on one thread: source → identity → flow table → stream hub. The agent and the
// command line's standalone mode both run exactly this.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/flow/flow_pick.h"
#include "core/flow/flow_table.h"
#include "core/flow/flow_view.h"
#include "core/flow/stream_hub.h"
#include "core/identity/kube_store.h"
#include "core/metrics/metric.h"
#include "core/model/status.h"
#include "core/source/flow_source.h"

namespace orb8 {

class Pipeline {
 public:
  // Opens the flow source that `config` names, asks Kubernetes for names where it says so, and
  // starts the thread. Errors say what to do.
  static Result<std::unique_ptr<Pipeline>> start(const Config& config);
  // For tests and other sources. `kube` is what is known of the cluster, fed by whoever watches it,
  // and outlives the pipeline; null: nobody is a pod.
  static Result<std::unique_ptr<Pipeline>> start(const Config& config,
                                                 std::unique_ptr<FlowSource> source,
                                                 KubeStore* kube = nullptr);
  virtual ~Pipeline() = default;  // stops, after a last snapshot

  // Any thread. The flows as the last snapshot left them, and what came since; with those that have
  // ended, if asked for.
  virtual FlowView view(bool history) = 0;
  std::shared_ptr<const FlowSnapshot> flows() { return view(false).live; }
  virtual Result<Subscription> subscribe(FlowSelection selection, bool packets) = 0;
  virtual Result<Subscription> subscribe(SubscribeOptions options) = 0;
  virtual Status status() const = 0;
  // How long ago the thread last came round: a snapshot's interval at most, and what the snapshot
  // takes, unless it is stuck.
  virtual std::chrono::nanoseconds standstill() const = 0;
  virtual const KubeStore* kube() const = 0;  // null: not in Kubernetes
  // Any thread: every metric of the registry, the flows' first. They are missing where the thread
  // is stuck. `complete` adds to the status that the agent's own are made of.
  virtual void collect_metrics(const TakeFamilyFn& take,
                               const std::function<void(Status&)>& complete) = 0;

  // The agent's own gRPC port, once it is bound: its traffic is left out of all accounting.
  virtual void leave_out_port(std::uint16_t port) = 0;

  // Takes a last snapshot, which flows() gives from then on, and ends the streams. The destructor
  // does the same; calling twice is harmless.
  virtual void stop() = 0;
};

}  // namespace orb8
