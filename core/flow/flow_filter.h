// What a query or a subscriber wants to see of the flows: as it was said, to be compiled.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/flow/label_selector.h"
#include "core/flow/name_pattern.h"
#include "core/model/flow.h"
#include "core/model/packet_filter.h"
#include "core/model/verdict.h"

namespace orb8 {

// Conditions on one side of a flow: OR within a field, AND between fields; an empty field matches
// everything.
struct EndpointFilter {
  // Who is there: all of these fields of one and the same side.
  std::vector<NamePattern> namespaces;  // of the pod, or of the Service that was addressed
  std::vector<ScopedPattern> pods;
  std::vector<WorkloadPattern> workloads;
  std::vector<LabelSelector> labels;  // of pods
  std::vector<ScopedPattern> services;
  std::vector<NamePattern> nodes;       // that the endpoint is on, or is
  std::vector<NamePattern> containers;  // by name, or by at least 12 digits of the id
  std::vector<NamePattern> processes;   // by name; those of this machine are known
  // What the packets say. ICMP has no ports.
  std::vector<Prefix> prefixes;
  std::vector<PortRange> ports;
};

// OR within a field, AND between fields; an empty field matches everything.
struct FlowFilter {
  EndpointFilter source;
  EndpointFilter destination;
  // Of `either`, prefixes and ports may be of different sides. Namespaces and pods also match what
  // shown_pod() gives.
  EndpointFilter either;
  std::vector<std::uint8_t> protocols;
  std::vector<Direction> directions;
  std::vector<IpVersion> versions;
  std::vector<Verdict> verdicts;
  std::vector<std::uint8_t> tcp_flags;  // all bits of one must have been seen
  bool failed = false;                  // beside any verdict: only connections that failed
  std::uint64_t min_bytes = 0;
  std::uint32_t min_rtt_us = 0;
  std::uint32_t min_retransmits = 0;
  std::vector<FlowFilter> none_of;  // none of these may match
};

// What `all` matches, and one of `allow` if there is any, and none of `deny`.
struct FlowSelection {
  FlowFilter all;
  std::vector<FlowFilter> allow;
  std::vector<FlowFilter> deny;
};

// The conjunctions of what the kernel can decide of a selection (address, port, protocol, direction
// and version), one of which matches each packet that the selection matches. One that matches
// everything where they are more than `most`.
std::vector<PacketFilter> packet_filters(const FlowSelection& selection, std::size_t most);

}  // namespace orb8
