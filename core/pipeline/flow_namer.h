// From a flow's key and the owner of its socket to the names of both its sides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>

#include "core/identity/kube_store.h"
#include "core/kernel/conntrack.h"
#include "core/model/flow.h"

namespace orb8 {

// In the order of trust: the socket's cgroup names its own side; each other side is the pod that
// has its address, else the node, else the Service, else this machine, else external, where it is
// known that nobody of the cluster has it. A process is named where no pod has its address: who has
// a pod's is in that pod, whatever cgroup it is in, which with version 1 of cgroups tells nothing.
// For one thread.
class FlowNamer {
 public:
  struct Options {
    std::string node;                 // what this machine is called
    std::uint32_t netns = 0;          // of this machine, by inode number
    const KubeStore* kube = nullptr;  // null: not in Kubernetes
  };
  explicit FlowNamer(Options options);

  // This machine's own addresses, without loopback's.
  void set_own_addresses(const std::set<Addr>& addresses);

  // From now on the pods behind Services are looked for there.
  void follow(std::unique_ptr<Conntrack> conntrack) { conntrack_ = std::move(conntrack); }
  const Conntrack* conntrack() const { return conntrack_.get(); }
  // Before each round of owners_of(). Times are of any clock that never goes back.
  void refresh(std::int64_t now_ns);
  // Goes up whenever names may have become known, ...
  std::uint64_t version() const;
  // ... and with each new connection in conntrack.
  std::uint64_t connections() const { return conntrack_ ? conntrack_->version() : 0; }

  // `netns`: of the socket; 0: not known, as of packets.
  FlowOwners owners_of(const FlowKey& key, std::uint32_t netns, OwnerRef local) const;

  // Whether somebody who is not known yet may still show up for it.
  bool may_be_named_later(const FlowOwners& owners) const;
  // Whether these may be about whoever is missing. `connections`: there are new ones in conntrack.
  bool is_news_for(const FlowKey& key, const FlowOwners& owners, const KubeNews& news,
                   bool connections) const;

  bool is_own(const Addr& addr) const { return addr.is_loopback() || own_.contains(addr); }
  // Whether it is behind an address of this machine, or a pod on it.
  bool is_here(const Addr& addr, const EndpointRef& endpoint) const;

 private:
  EndpointRef by_address(const Addr& addr, KubeSide& side) const;
  bool is_news_for_side(const Addr& addr, std::uint16_t port, const EndpointRef& side,
                        const EndpointRef& service, const KubeNews& news) const;
  EndpointRef this_node() const;
  bool waits_behind(const EndpointRef& service, const EndpointRef& side) const;
  void look_behind(const FlowKey& sent, const EndpointRef& service, EndpointRef& side) const;

  Options options_;
  EndpointRef nameless_node_;  // where Kubernetes does not know it
  std::unordered_set<Addr, AddrHash> own_;
  std::unique_ptr<Conntrack> conntrack_;  // null: there is none to follow
};

}  // namespace orb8
