// A node as Kubernetes makes it: two pods on a bridge, two that packets are routed to, an uplink to
// another host.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "tests/netns/topology.h"

namespace orb8::netns {

// Somewhere that sends and receives.
struct Place {
  const NetNs* ns = nullptr;
  Addr v4;
  Addr v6;

  const Addr& addr(int family) const { return family == AF_INET ? v4 : v6; }
};

// The node's interfaces: the bridge cni0 with the ports veth1 and veth2; ptp3 and ptp4, each with
// the gateway's address alone, as CNI's plugin of that name gives it; the uplink up0 with the
// default route. Nobody has to ask for a neighbour.
class NodeWithPods {
 public:
  NodeWithPods();
  void up() const;

  const NetNs& node() const { return node_.ns; }
  // 1 and 2: on the bridge; 3 and 4: routed.
  Place pod(std::size_t number) const;
  const Host& host(std::size_t number) const { return pods_[number - 1]; }
  Place world() const;      // behind the uplink
  Place on_bridge() const;  // the node itself, as the pods on the bridge know it,
  Place gateway() const;    // and as the others do
  std::string name_of(std::uint32_t ifindex) const;

 private:
  void give_bridge() const;
  void give_routes(const Host& pod) const;
  void give_uplink() const;

  Host node_{9};
  Host pods_[4]{Host(1), Host(2), Host(3), Host(4)};
  Host world_{5};
};

}  // namespace orb8::netns
