// The pods of the cluster by UID, address, container and cgroup: bounded, and with a memory of
// those that are gone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/identity/addr_table.h"
#include "core/k8s/objects.h"
#include "core/model/endpoint.h"

namespace orb8 {

// Immutable: a change makes another one.
struct KnownPod {
  Endpoint endpoint;
  std::vector<Addr> ips;
  std::vector<k8s::Container> containers;
  std::string static_uid;  // what the cgroups of a static pod are named after; empty for others
  std::int64_t start_ns = 0;
  bool host_network = false;
  bool finished = false;
  bool operator==(const KnownPod&) const = default;
};
using KnownPodRef = std::shared_ptr<const KnownPod>;

// What flows hold of it. It keeps the whole pod.
inline EndpointRef endpoint_of(const KnownPodRef& pod) {
  return pod ? EndpointRef(pod, &pod->endpoint) : nullptr;
}

struct PodIndexOptions {
  std::size_t max_pods = 10'000;
  std::int64_t grace_ns = 60'000'000'000;  // how long a deleted pod can still be found
  std::string node;                        // whose pods go last where there is no room
  bool labels = false;                     // whether they are kept
  bool node_only = false;                  // no others than that node's are ever told of
};

// For one thread at a time. Times are of any clock that never goes back.
//
// Where several pods have an address, one that was not deleted has it before one that was, then the
// one that started last. Finished pods have none, as the cluster may have given it away already,
// and pods on the host's network share the node's, which says nothing.
class PodIndex {
 public:
  explicit PodIndex(PodIndexOptions options) : options_(std::move(options)) {}

  // Whether anything changed that is kept.
  bool set(k8s::Pod pod, std::string zone);
  // The pod was deleted. False: not known, or known to be.
  bool gone(std::string_view uid, std::int64_t now_ns);
  // All but these were deleted.
  void keep(const std::unordered_set<std::string>& uids, std::int64_t now_ns);
  // Gives pods the zones that their nodes have by now.
  using ZoneOf = std::function<const std::string&(const std::string& node)>;
  void set_zones(const ZoneOf& zone_of);
  // Forgets what was deleted long ago. False: nothing was.
  bool expire(std::int64_t now_ns);

  // Null: nobody that is known. Valid until the next change.
  const KnownPodRef* by_ip(const Addr& addr) const;
  const KnownPodRef* by_container(std::string_view id) const;
  const KnownPodRef* by_uid(std::string_view uid) const;
  // As cgroups are named: the UID, or a static pod's own.
  const KnownPodRef* by_cgroup_uid(std::string_view uid) const;

  // Those that were not deleted, in no particular order.
  std::vector<KnownPodRef> pods() const;
  std::size_t size() const noexcept;  // of them
  // Pods that still ran when they had to make room for others.
  std::uint64_t evicted() const noexcept { return evicted_; }
  // Whether no pod is left out, so that an address that is not known is no pod's. From the first
  // eviction on it is false: nobody tells when the last of those that were dropped is gone.
  bool knows_all() const noexcept { return !options_.node_only && evicted_ == 0; }

 private:
  // In the order in which they go where there is no room.
  enum Rank : std::uint8_t { kGone, kFinished, kElsewhere, kHere, kRanks };
  struct Slot {
    KnownPodRef pod;
    std::int64_t gone_ns = 0;
    Rank rank = kElsewhere;
  };
  using Line = std::list<Slot>;  // oldest in front
  using Place = Line::iterator;
  template <class Key, class Hash = std::hash<Key>>
  using Places = std::unordered_multimap<Key, Place, Hash>;

  void insert(KnownPodRef pod);
  void replace(Place place, KnownPodRef pod);
  void move(Place place, Rank rank);
  void drop(Place place);
  void link(Place place);
  void unlink(Place place);
  void find_holders(const KnownPod& pod);
  void mark_gone(Place place, std::int64_t now_ns);
  void make_room();
  Rank rank_of(const KnownPod& pod) const;
  static bool before(const Slot& a, const Slot& b);
  template <class Key, class Hash, class Given>
  static const KnownPodRef* best(const Places<Key, Hash>& places, const Given& key);

  PodIndexOptions options_;
  std::array<Line, kRanks> lines_;
  // Keys are views into the pods.
  std::unordered_map<std::string_view, Place> by_uid_;
  Places<std::string_view> by_static_uid_;
  Places<std::string_view> by_container_;
  Places<Addr, AddrHash> claims_;   // who says to have an address
  AddrTable<KnownPodRef> holders_;  // who has it
  std::uint64_t evicted_ = 0;
};

}  // namespace orb8
