// How the pipeline is: written by its thread after each snapshot, read by any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/flow/flow_history.h"
#include "core/flow/flow_table.h"
#include "core/flow/stream_hub.h"
#include "core/identity/identity.h"
#include "core/identity/kube_store.h"
#include "core/model/status.h"
#include "core/pipeline/cluster.h"
#include "core/pipeline/flow_namer.h"
#include "core/pipeline/flow_path.h"
#include "core/pipeline/health.h"
#include "core/pipeline/metering.h"
#include "core/pipeline/packet_orders.h"
#include "core/source/flow_source.h"

namespace orb8 {

class StatusBoard {
 public:
  // What it asks, which outlives it.
  struct Parts {
    const FlowSource& source;
    const FlowPath& path;
    const PacketOrders& packet_orders;
    const FlowTable& table;
    const FlowHistory& history;
    const StreamHub& hub;
    const Identity& identity;
    const FlowNamer& namer;
    const Metering& metering;
    std::uint32_t max_flows = 0;
    const KubeStore* kube = nullptr;   // null: not in Kubernetes
    const Cluster* cluster = nullptr;  // null: nobody is asked
  };
  explicit StatusBoard(const Parts& parts) : parts_(parts) {}

  // Any thread. As of the last publish(), and what subscribers missed by now.
  Status status() const;

  // The pipeline's thread's, each.
  void start(std::int64_t now_ns) { started_ns_ = now_ns; }
  void no_conntrack(std::string why) { no_conntrack_ = std::move(why); }
  void publish(const Result<void>& collected, std::int64_t now_ns);

 private:
  void add_names(std::vector<Component>& all) const;
  void add_kubernetes(Status& status, std::int64_t now_ns);

  Parts parts_;
  std::int64_t started_ns_ = 0;
  std::string no_conntrack_;
  LossWatch lost_{"flow-accounting",
                  "packets lost in the last minute: the kernel's map or ring is full (raise "
                  "max_flows or ring_buffer_size)"};
  LossWatch evicted_{"flow-table",
                     "flows evicted in the last minute: the table is full (raise max_flows)"};
  LossWatch unseen_{"flow-ends",
                    "flows ended unseen in the last minute: what they moved last is missing"};
  LossWatch untracked_{"socket-memory",
                       "times in the last minute the kernel had no memory to remember a TCP socket "
                       "(its limit for one is net.core.optmem_max)"};
  LossWatch pods_evicted_{"pod-cache",
                          "running pods dropped in the last minute: there are more than "
                          "max_pod_cache (raise it)"};
  mutable std::mutex mutex_;
  Status status_;
};

}  // namespace orb8
