// What a query or a subscriber wants to see of the flows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/flow.h"
#include "core/model/packet_filter.h"

namespace orb8 {

// OR within a field, AND between fields; an empty field matches everything. Addresses and ports
// match either side; ICMP has no ports. Namespaces and pods match what shown_pod() gives and either
// side's owner, but the two of them must be of one side: a namespace and a pod name a pod of that
// namespace.
struct FlowFilter {
  std::vector<std::string> namespaces;
  std::vector<std::string> pods;
  std::vector<Prefix> prefixes;
  std::vector<std::uint16_t> ports;
  std::vector<std::uint8_t> protocols;
  std::vector<Direction> directions;
  bool failed = false;           // only of connections that failed
  std::uint32_t min_rtt_us = 0;  // only of connections with this round-trip time or more

  bool matches(const Flow& flow) const;
  // By what every flow has: for those of which no more is known.
  bool matches(const FlowKey& key, const FlowOwners& owners) const;

  // The conjunctions of what the kernel can decide (address, port, protocol, direction): the
  // filter's fields multiplied out. One entry that matches everything when more than `most`.
  std::vector<PacketFilter> packet_filters(std::size_t most) const;
};

}  // namespace orb8
