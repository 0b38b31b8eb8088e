// What is known of the cluster: its pods, nodes and Services, and who of them a flow is with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/identity/container_id.h"
#include "core/identity/node_index.h"
#include "core/identity/pod_index.h"
#include "core/identity/service_index.h"
#include "core/k8s/sink.h"
#include "core/model/flow.h"

namespace orb8 {

// One side of a flow, by its address.
struct KubeSide {
  EndpointRef endpoint;   // pod, node or Service; null: nobody that is known
  EndpointRef service;    // that was addressed; null: none
  bool for_pods = false;  // nobody that is known, but pods' addresses are from there
};

// What has come to be found that was not before.
struct KubeNews {
  std::unordered_set<Addr, AddrHash> addrs;      // of pods, nodes and Services, and behind Services
  std::unordered_set<std::uint16_t> node_ports;  // of Services
  bool pods = false;                             // by their cgroups

  bool empty() const noexcept { return addrs.empty() && node_ports.empty() && !pods; }
  void merge(KubeNews&& more) {
    addrs.merge(more.addrs);
    node_ports.merge(more.node_ports);
    pods |= more.pods;
  }
};

struct KubeCounts {
  std::size_t pods = 0;
  std::size_t nodes = 0;
  std::size_t services = 0;
  std::uint64_t evicted_pods = 0;  // that still ran
};

// Any thread may read while one writes; each holds the others up for a few lookups, and for
// milliseconds where the whole cluster is listed anew.
class KubeStore final : public k8s::Sink {
 public:
  using Clock = std::function<std::int64_t()>;  // that never goes back
  explicit KubeStore(PodIndexOptions options, Clock clock = {});

  void set(k8s::Object object) override;
  void gone(k8s::Kind kind, std::string_view uid) override;
  void listed(k8s::Kind kind, const std::unordered_set<std::string>& uids) override;

  // Forgets what was deleted long ago, and brings zones to pods. Once a second or so, by any
  // thread.
  void tick();

  // Both sides of a flow: pods by their address, then nodes, then Services. `own`: the address is
  // one of this machine's, so that node ports count there too.
  struct Sides {
    KubeSide src;
    KubeSide dst;
  };
  Sides sides_of(const FlowKey& key, bool src_own, bool dst_own) const;

  EndpointRef endpoint_at(const Addr& addr) const;  // a pod's or a node's
  // Who answers there for the Service: a pod by its address, or as the Service's endpoints have it,
  // which tell a pod on the host's network; else the node. Null: nobody that is known.
  EndpointRef behind(const Endpoint& service, const Addr& addr, std::uint16_t port,
                     std::uint8_t protocol) const;
  EndpointRef node_named(const std::string& name) const;
  // By the container, or by the pod that its cgroup is in. Null: not known.
  KnownPodRef pod_of(const ContainerRef& container) const;
  KnownPodRef pod_with_uid(std::string_view uid) const;

  // The pods that have cgroups on this machine: told by who watches those. Empty UIDs are no pods'.
  void cgroup_appeared(const std::string& pod_uid);
  void cgroup_gone(const std::string& pod_uid);

  struct ListedPod {
    KnownPodRef pod;
    bool cgroup = false;  // there is one on this machine
  };
  std::vector<ListedPod> pods() const;  // in no particular order
  KubeCounts counts() const;

  // Readable when something changed since take_notice(), which returns whether anything did.
  int fd() const { return notice_.get(); }
  bool take_notice();

  // Goes up with each change of what the lookups may find.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  // The news since the last call, for one reader; without those of before the last list.
  KubeNews take_news();
  // Goes up with each list, and where there are more news than are kept: anything may be known then
  // that was not before.
  std::uint64_t lists() const noexcept { return lists_.load(std::memory_order_acquire); }
  // Whether all of the cluster is known that has addresses: pods, nodes and Services were listed
  // once, all nodes' pods are told of, and none had to be left out. Who is not known then is not of
  // the cluster.
  bool is_complete() const noexcept { return complete_.load(std::memory_order_acquire); }

 private:
  KubeSide side_of(const Addr& addr, std::uint16_t port, std::uint8_t protocol, bool own) const;
  EndpointRef by_endpoint(const Endpoint& service, const Addr& addr, std::uint16_t port,
                          std::uint8_t protocol) const;
  bool put(k8s::Pod pod);
  bool put(k8s::Node node);
  bool put(k8s::Service service);
  bool put(k8s::EndpointSlice slice);
  void note(const std::vector<Addr>& addrs);
  void look_at_all();
  void changed();
  void look_whether_complete();
  void bring_zones();

  Clock clock_;
  mutable std::mutex mutex_;  // of all that is not atomic
  PodIndex pods_;
  NodeIndex nodes_;
  ServiceIndex services_;
  std::unordered_map<std::string, int> cgroups_;  // how many, by the UID in their names
  bool stale_zones_ = false;
  std::array<bool, 4> listed_ = {};  // by kind
  KubeNews news_;
  UniqueFd notice_;
  std::atomic<bool> noticed_ = false;  // the notice is written already
  std::atomic<std::uint64_t> version_ = 0;
  std::atomic<std::uint64_t> lists_ = 0;
  std::atomic<bool> complete_ = false;
};

}  // namespace orb8
