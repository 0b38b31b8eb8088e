// By what flows are told apart in metrics: who they belong to and whom they are with, never by
// address or port.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics/metric.h"
#include "core/model/flow.h"

namespace orb8 {

// Which labels the own side of a flow has: the source of what is sent, the destination of what is
// received.
struct OwnLabels {
  bool name_space = true;
  bool pod = false;
  bool workload = true;
  bool node = false;
  std::string node_name = {};  // of this machine
};

// As metrics tell them apart; all other protocols are one.
enum class MeterProtocol : std::uint8_t { kTcp, kUdp, kIcmp, kIcmpV6, kSctp, kOther };
constexpr std::size_t kMeterProtocols = 6;
MeterProtocol meter_protocol(std::uint8_t protocol) noexcept;
std::string_view to_string(MeterProtocol protocol);  // "TCP", ..., "other"

// A set of labels in one string: values, each ended by a NUL. No value has one itself: names of
// Kubernetes do not, nor do C strings. Bytes outside printable ASCII, which a process's name may
// have, are '?'.
using LabelSet = std::string;

// `direction` is the label's: a connection that was opened from outside counts as ingress, on
// whichever of its flows it is counted.
LabelSet label_set(const Flow& flow, Direction direction, const OwnLabels& own);
// All that there is no room for.
LabelSet other_label_set(Direction direction, MeterProtocol protocol, const OwnLabels& own);

// Names and values, for a sample. `namespace` and `pod` always, empty where they were not chosen:
// Prometheus would take those of the agent's own pod.
std::vector<MetricLabel> to_labels(const LabelSet& set, const OwnLabels& own);

// Both ends, seen from here.
const EndpointRef& own_side(const Flow& flow) noexcept;
const EndpointRef& peer_side(const Flow& flow) noexcept;

}  // namespace orb8
