// Which interfaces are the host's ends of pods' veths.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>

namespace orb8 {

// What is known of an interface that tells.
struct LinkFacts {
  std::uint32_t master = 0;      // ifindex of the bridge or switch that it is a port of; 0: none
  bool up = false;               // administratively
  bool veth = false;             // and its peer
  bool peer_elsewhere = false;   // is in another network namespace
  bool default_route = false;    // carries one, of either family
  bool network_address = false;  // has an address of global scope in a network of several
};

// By ifindex. A veth whose peer is in another network namespace is either a pod's, seen from the
// host, or this machine's own, where that is a container: then it has an address in a network, or
// carries the default route, itself or as the port of a bridge that does. A host's end has nothing
// of this: it is a bridge's port, or packets are routed to it, while another interface leads out of
// the host; and the only address that a CNI gives it is a single one (/32, /128), the pod's
// gateway, which tells of no network.
std::set<std::uint32_t> pod_ends(const std::map<std::uint32_t, LinkFacts>& links);

}  // namespace orb8
