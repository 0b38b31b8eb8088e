// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_matcher.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace orb8 {
namespace {

constexpr std::size_t kShortIdDigits = 12;  // of a container's id, as `docker ps` shows it

template <class List, class Test>
bool empty_or_any(const List& list, Test test) {
  return list.empty() || std::ranges::any_of(list, test);
}

// --- conditions, each a type with one question ---

struct OneOfDirections {
  std::vector<Direction> directions;
  bool holds(const Flow& flow) const {
    return std::ranges::find(directions, flow.key.direction) != directions.end();
  }
};

struct OneOfProtocols {
  std::bitset<256> protocols;
  bool holds(const Flow& flow) const { return protocols[flow.key.protocol]; }
};

struct OneOfVersions {
  std::vector<IpVersion> versions;
  bool holds(const Flow& flow) const {
    return std::ranges::find(versions, ip_version(flow.key)) != versions.end();
  }
};

template <class Value>
bool holds_on(Side side, const Value& source, const Value& destination, auto test) {
  return (side != Side::kDestination && test(source)) ||
         (side != Side::kSource && test(destination));
}

struct WithinPorts {
  Side side;
  std::vector<PortRange> ranges;
  bool holds(const Flow& flow) const {
    if (is_icmp(flow.key.protocol)) return false;
    return holds_on(side, flow.key.src_port, flow.key.dst_port, [&](std::uint16_t port) {
      return std::ranges::any_of(ranges, [&](const PortRange& r) { return r.contains(port); });
    });
  }
};

struct WithinPrefixes {
  Side side;
  std::vector<Prefix> prefixes;
  bool holds(const Flow& flow) const {
    return holds_on(side, flow.key.src, flow.key.dst, [&](const Addr& addr) {
      return std::ranges::any_of(prefixes, [&](const Prefix& p) { return p.contains(addr); });
    });
  }
};

// At least so much of each.
struct AtLeast {
  std::uint64_t bytes;
  std::uint32_t rtt_us;
  std::uint32_t retransmits;
  bool holds(const Flow& flow) const {
    return flow.bytes >= bytes && flow.socket.rtt_us >= rtt_us &&
           flow.socket.retransmits >= retransmits;
  }
};

struct OneOfTcpFlags {
  std::vector<std::uint8_t> flags;
  bool holds(const Flow& flow) const {
    return std::ranges::any_of(flags, [&](std::uint8_t f) { return (flow.tcp_flags & f) == f; });
  }
};

struct OneOfVerdicts {
  std::vector<Verdict> verdicts;
  bool holds(const Flow& flow) const {
    return std::ranges::any_of(verdicts, [&](Verdict v) { return has_verdict(flow, v); });
  }
};

// One side of a flow, by what is known of who is there.
struct Party {
  const Endpoint* endpoint;  // null: nobody knows
  const Endpoint* service;   // null: none was addressed
  const Owner* local;        // of the process here, where it is on this side
};

class Who {
 public:
  Who(Side side, const EndpointFilter& filter) : side_(side), filter_(filter) {
    filter_.prefixes.clear();  // asked for by others
    filter_.ports.clear();
  }

  static bool is_asked(const EndpointFilter& f) {
    return !(f.namespaces.empty() && f.pods.empty() && only_others_empty(f));
  }

  bool holds(const Flow& flow) const {
    const auto& owners = *flow.owners;
    const bool sent = flow.key.direction == Direction::kEgress;
    const auto* local = owners.local.get();
    const Party source = {owners.src.get(), owners.src_service.get(), sent ? local : nullptr};
    const Party destination = {owners.dst.get(), owners.dst_service.get(), sent ? nullptr : local};
    if (holds_on(side_, source, destination, [&](const Party& p) { return is(p); })) return true;
    return side_ == Side::kEither && only_others_empty(filter_) &&
           is_shown(shown_pod(flow.key, owners));
  }

 private:
  // Beside namespaces and pods nothing is asked.
  static bool only_others_empty(const EndpointFilter& f) {
    return f.workloads.empty() && f.labels.empty() && f.services.empty() && f.nodes.empty() &&
           f.containers.empty() && f.processes.empty();
  }

  bool is(const Party& party) const {
    return is_in_namespace(party) && is_pod(party) && is_behind_service(party) &&
           is_on_node(party) && is_local(party);
  }

  bool is_in_namespace(const Party& party) const {
    return empty_or_any(filter_.namespaces, [&](const NamePattern& pattern) {
      return (party.endpoint != nullptr && pattern.matches(party.endpoint->name_space)) ||
             (party.service != nullptr && pattern.matches(party.service->name_space));
    });
  }

  bool is_pod(const Party& party) const {
    if (filter_.pods.empty() && filter_.workloads.empty() && filter_.labels.empty()) return true;
    if (party.endpoint == nullptr || party.endpoint->kind != EndpointKind::kPod) return false;
    const auto& pod = *party.endpoint;
    return empty_or_any(filter_.pods,
                        [&](const auto& p) { return p.matches(pod.name_space, pod.name); }) &&
           empty_or_any(
               filter_.workloads,
               [&](const auto& p) { return p.matches(pod.workload_kind, pod.workload); }) &&
           empty_or_any(filter_.labels, [&](const auto& s) { return s.matches(pod.labels); });
  }

  bool is_behind_service(const Party& party) const {
    return empty_or_any(filter_.services, [&](const ScopedPattern& pattern) {
      const auto is = [&](const Endpoint* of) {
        return of != nullptr && of->kind == EndpointKind::kService &&
               pattern.matches(of->name_space, of->name);
      };
      return is(party.service) || is(party.endpoint);
    });
  }

  bool is_on_node(const Party& party) const {
    if (filter_.nodes.empty()) return true;
    if (party.endpoint == nullptr) return false;
    const auto& endpoint = *party.endpoint;
    const auto& node = endpoint.kind == EndpointKind::kNode ? endpoint.name : endpoint.node;
    return empty_or_any(filter_.nodes, [&](const auto& p) { return p.matches(node); });
  }

  bool is_local(const Party& party) const {
    if (filter_.containers.empty() && filter_.processes.empty()) return true;
    if (party.local == nullptr) return false;
    const auto& local = *party.local;
    return empty_or_any(filter_.processes, [&](const auto& p) { return p.matches(local.comm); }) &&
           empty_or_any(filter_.containers, [&](const NamePattern& p) {
             return p.matches(local.container_name) ||
                    (p.text.size() >= kShortIdDigits && local.container_id.starts_with(p.text));
           });
  }

  bool is_shown(const PodName& shown) const {
    return empty_or_any(filter_.namespaces,
                        [&](const auto& p) { return p.matches(shown.name_space); }) &&
           empty_or_any(filter_.pods,
                        [&](const auto& p) { return p.matches(shown.name_space, shown.name); });
  }

  Side side_;
  EndpointFilter filter_;
};

using Condition = std::variant<OneOfDirections, OneOfProtocols, OneOfVersions, AtLeast,
                               OneOfTcpFlags, WithinPorts, WithinPrefixes, OneOfVerdicts, Who>;

// A filter's conditions, all of which must hold, cheapest first.
class Conjunction {
 public:
  explicit Conjunction(const FlowFilter& filter) {
    add<OneOfDirections>(filter.directions);
    if (!filter.protocols.empty()) {
      OneOfProtocols condition;
      for (const auto protocol : filter.protocols) condition.protocols.set(protocol);
      conditions_.emplace_back(condition);
    }
    add<OneOfVersions>(filter.versions);
    if (filter.min_bytes > 0 || filter.min_rtt_us > 0 || filter.min_retransmits > 0) {
      conditions_.emplace_back(
          AtLeast{filter.min_bytes, filter.min_rtt_us, filter.min_retransmits});
    }
    add<OneOfTcpFlags>(filter.tcp_flags);
    for_each_side(filter, [&](Side side, const EndpointFilter& of) {
      if (!of.ports.empty()) conditions_.emplace_back(WithinPorts{side, of.ports});
    });
    for_each_side(filter, [&](Side side, const EndpointFilter& of) {
      if (!of.prefixes.empty()) conditions_.emplace_back(WithinPrefixes{side, of.prefixes});
    });
    if (filter.failed) conditions_.emplace_back(OneOfVerdicts{{Verdict::kFailed}});
    add<OneOfVerdicts>(filter.verdicts);
    for_each_side(filter, [&](Side side, const EndpointFilter& of) {
      if (Who::is_asked(of)) conditions_.emplace_back(Who(side, of));
    });
    for (const auto& none : filter.none_of) none_of_.emplace_back(none);
  }

  bool holds(const Flow& flow) const {
    return std::ranges::all_of(conditions_,
                               [&](const Condition& condition) {
                                 return std::visit([&](const auto& c) { return c.holds(flow); },
                                                   condition);
                               }) &&
           std::ranges::none_of(none_of_, [&](const auto& none) { return none.holds(flow); });
  }

  bool asks_nothing() const { return conditions_.empty() && none_of_.empty(); }

 private:
  template <class One, class Values>
  void add(const Values& values) {
    if (!values.empty()) conditions_.emplace_back(One{values});
  }

  template <class Visit>
  static void for_each_side(const FlowFilter& filter, Visit visit) {
    visit(Side::kSource, filter.source);
    visit(Side::kDestination, filter.destination);
    visit(Side::kEither, filter.either);
  }

  std::vector<Condition> conditions_;
  std::vector<Conjunction> none_of_;
};

}  // namespace

struct FlowMatcher::Compiled {
  Conjunction all;
  std::vector<Conjunction> allow;
  std::vector<Conjunction> deny;
};

FlowMatcher::FlowMatcher(const FlowSelection& selection) {
  Compiled compiled{.all = Conjunction(selection.all),
                    .allow = {selection.allow.begin(), selection.allow.end()},
                    .deny = {selection.deny.begin(), selection.deny.end()}};
  if (compiled.all.asks_nothing() && compiled.allow.empty() && compiled.deny.empty()) return;
  compiled_ = std::make_shared<const Compiled>(std::move(compiled));
}

bool FlowMatcher::matches_compiled(const Flow& flow) const {
  const auto holds = [&](const Conjunction& filter) { return filter.holds(flow); };
  return compiled_->all.holds(flow) && empty_or_any(compiled_->allow, holds) &&
         std::ranges::none_of(compiled_->deny, holds);
}

}  // namespace orb8
