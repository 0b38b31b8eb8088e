// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/pod_ends.h"

#include <algorithm>

namespace orb8 {
namespace {

using Links = std::map<std::uint32_t, LinkFacts>;

bool leads_to_a_namespace(const LinkFacts& link) {
  return link.veth && link.peer_elsewhere;
}

// Bridges with the default route none of whose ports leads anywhere but to another namespace: one
// of those must be this machine's own uplink, and which is not to be told.
std::set<std::uint32_t> uplink_bridges(const Links& links) {
  std::set<std::uint32_t> bridges;
  for (const auto& [ifindex, link] : links) {
    if (link.default_route) bridges.insert(ifindex);
  }
  for (const auto& [ifindex, link] : links) {
    if (!leads_to_a_namespace(link)) bridges.erase(link.master);
  }
  return bridges;
}

// Of the interfaces that lead out of this machine, one other than this.
bool another_leads_out(const Links& links, std::uint32_t than) {
  return std::ranges::any_of(links, [than](const auto& entry) {
    const auto& [ifindex, link] = entry;
    return ifindex != than && (link.default_route || link.network_address);
  });
}

}  // namespace

std::set<std::uint32_t> pod_ends(const Links& links) {
  const auto uplinks = uplink_bridges(links);
  std::set<std::uint32_t> ends;
  for (const auto& [ifindex, link] : links) {
    if (!leads_to_a_namespace(link) || link.default_route) continue;
    // A port tells by its bridge. Any other one without an address may be about to get one: not if
    // it is up, and this machine, unlike a container that starts, has its own way out.
    const bool is_end = link.master != 0
                            ? !uplinks.contains(link.master)
                            : link.up && !link.network_address && another_leads_out(links, ifindex);
    if (is_end) ends.insert(ifindex);
  }
  return ends;
}

}  // namespace orb8
