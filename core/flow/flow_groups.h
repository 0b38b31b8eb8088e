// Flows that are alike, as one: who talks to whom, how much, how well. Sums are exact.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/flow/flow_dimension.h"
#include "core/flow/flow_matcher.h"
#include "core/flow/flow_pick.h"
#include "core/flow/flow_view.h"

namespace orb8 {

// What moved one way, as a flow counts it.
struct MovedSums {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t payload_bytes = 0;

  bool operator==(const MovedSums&) const = default;
};

struct FlowSums {
  std::uint64_t flows = 0;
  MovedSums sent;
  MovedSums received;
  // TCP connections, each once though it is two flows; one inside the machine once for each end.
  std::uint64_t connections = 0;
  std::uint64_t established = 0;
  std::uint64_t failed = 0;  // those that were reset as well
  std::uint64_t reset = 0;
  std::uint64_t retransmits = 0;
  std::int64_t first_seen_ns = 0;
  std::int64_t last_seen_ns = 0;
  std::uint32_t smallest_rtt_us = 0;  // of the smoothed round-trip times; 0: none was measured
  std::uint32_t largest_rtt_us = 0;

  void add(const FlowSums& more);
  bool operator==(const FlowSums&) const = default;
};

struct FlowGroup {
  // What its flows have in each dimension, in the order of those; empty for the port.
  std::vector<std::string> names;
  // By port: which, absent for a protocol without ports.
  std::optional<std::uint16_t> port;
  std::uint8_t protocol = 0;
  FlowSums sums;
};

struct FlowGroups {
  std::vector<FlowGroup> groups;  // largest first; equal ones by name: the order is stable
  std::size_t other_groups = 0;   // beyond the limit
  FlowSums others;                // of those
  std::size_t matched = 0;        // flows
};

// Groups the flows that match by all of `dimensions` together, each of which is there once. Every
// flow is in one group.
FlowGroups group_flows(const FlowSet& flows, const FlowMatcher& matcher,
                       std::span<const GroupBy> dimensions, FlowSort sort, std::size_t limit);

}  // namespace orb8
