// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/flow_labels.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace orb8 {
namespace {

constexpr std::string_view kOther = "other";

EndpointKind kind_of(const EndpointRef& endpoint) {
  return endpoint ? endpoint->kind : EndpointKind::kUnknown;
}

// What is without a name is called by its kind: "external", "unknown".
std::string_view workload_of(const EndpointRef& endpoint) {
  if (!endpoint) return to_string(EndpointKind::kUnknown);
  if (!endpoint->workload.empty()) return endpoint->workload;
  return endpoint->name.empty() ? to_string(endpoint->kind) : std::string_view(endpoint->name);
}

std::string_view name_space_of(const EndpointRef& endpoint) {
  return endpoint ? std::string_view(endpoint->name_space) : std::string_view();
}

std::string_view pod_of(const EndpointRef& endpoint) {
  const bool pod = kind_of(endpoint) == EndpointKind::kPod;
  return pod ? std::string_view(endpoint->name) : std::string_view();
}

class Writer {
 public:
  Writer() { set_.reserve(kUsual); }

  void add(std::string_view value) {
    const auto from = set_.size();
    set_ += value;
    set_ += '\0';
    std::replace_if(
        set_.begin() + static_cast<std::ptrdiff_t>(from), set_.end() - 1,
        [](char byte) { return byte < 0x20 || byte >= 0x7F; }, '?');
  }
  LabelSet take() { return std::move(set_); }

 private:
  static constexpr std::size_t kUsual = 120;
  LabelSet set_;
};

}  // namespace

MeterProtocol meter_protocol(std::uint8_t protocol) noexcept {
  switch (protocol) {
    case IPPROTO_TCP:
      return MeterProtocol::kTcp;
    case IPPROTO_UDP:
      return MeterProtocol::kUdp;
    case IPPROTO_ICMP:
      return MeterProtocol::kIcmp;
    case IPPROTO_ICMPV6:
      return MeterProtocol::kIcmpV6;
    case IPPROTO_SCTP:
      return MeterProtocol::kSctp;
    default:
      return MeterProtocol::kOther;
  }
}

std::string_view to_string(MeterProtocol protocol) {
  switch (protocol) {
    case MeterProtocol::kTcp:
      return "TCP";
    case MeterProtocol::kUdp:
      return "UDP";
    case MeterProtocol::kIcmp:
      return "ICMP";
    case MeterProtocol::kIcmpV6:
      return "ICMPv6";
    case MeterProtocol::kSctp:
      return "SCTP";
    case MeterProtocol::kOther:
      break;
  }
  return kOther;
}

const EndpointRef& own_side(const Flow& flow) noexcept {
  return flow.key.direction == Direction::kEgress ? flow.owners->src : flow.owners->dst;
}

const EndpointRef& peer_side(const Flow& flow) noexcept {
  return flow.key.direction == Direction::kEgress ? flow.owners->dst : flow.owners->src;
}

LabelSet label_set(const Flow& flow, Direction direction, const OwnLabels& own) {
  const auto& here = own_side(flow);
  const auto& peer = peer_side(flow);
  Writer out;
  if (own.name_space) out.add(name_space_of(here));
  if (own.pod) out.add(pod_of(here));
  if (own.workload) out.add(workload_of(here));
  out.add(to_string(direction));
  out.add(to_string(meter_protocol(flow.key.protocol)));
  out.add(to_string(kind_of(peer)));
  out.add(name_space_of(peer));
  out.add(workload_of(peer));
  return out.take();
}

LabelSet other_label_set(Direction direction, MeterProtocol protocol, const OwnLabels& own) {
  Writer out;
  for (const bool chosen : {own.name_space, own.pod, own.workload}) {
    if (chosen) out.add(kOther);
  }
  out.add(to_string(direction));
  out.add(to_string(protocol));
  for (int i = 0; i < 3; ++i) out.add(kOther);
  return out.take();
}

std::vector<MetricLabel> to_labels(const LabelSet& set, const OwnLabels& own) {
  std::vector<MetricLabel> labels;
  labels.reserve(9);
  std::size_t at = 0;
  const auto next = [&](std::string_view name) {
    const auto end = set.find('\0', at);
    labels.push_back({name, set.substr(at, end - at)});
    at = end + 1;
  };
  const auto next_or_empty = [&](bool chosen, std::string_view name) {
    if (chosen) return next(name);
    labels.push_back({name, ""});
  };
  next_or_empty(own.name_space, "namespace");
  next_or_empty(own.pod, "pod");
  if (own.workload) next("workload");
  if (own.node) labels.push_back({"node", own.node_name});
  for (const auto* name :
       {"direction", "protocol", "peer_kind", "peer_namespace", "peer_workload"}) {
    next(name);
  }
  return labels;
}

}  // namespace orb8
