// Random filters over random flows: what the compiled matcher says must be what a plain reading of
// the wire contract says. The reading here knows nothing but the two messages' texts and numbers.
// Of the flow that is made of the wire's message again, the matcher says the same.
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "core/export/wire.h"
#include "core/export/wire_filter.h"
#include "core/export/wire_value.h"
#include "core/flow/flow_matcher.h"

namespace orb8 {
namespace {

// --- the plain reading ---

using Strings = google::protobuf::RepeatedPtrField<std::string>;

bool name_is(const std::string& pattern, const std::string& name) {
  if (name.empty()) return false;
  if (pattern.back() != '*') return pattern == name;
  return name.rfind(pattern.substr(0, pattern.size() - 1), 0) == 0;
}

bool scoped_is(const std::string& pattern, const std::string& name_space, const std::string& name) {
  const auto slash = pattern.find('/');
  if (slash == std::string::npos) return name_is(pattern, name);
  return name_is(pattern.substr(0, slash), name_space) && name_is(pattern.substr(slash + 1), name);
}

std::vector<int> bits_of(const std::string& ip) {
  std::array<std::uint8_t, 16> bytes = {};
  const bool v6 = ip.find(':') != std::string::npos;
  EXPECT_EQ(::inet_pton(v6 ? AF_INET6 : AF_INET, ip.c_str(), bytes.data()), 1) << ip;
  std::vector<int> bits;
  for (std::size_t i = 0; i < (v6 ? 128 : 32); ++i) bits.push_back(bytes[i / 8] >> (7 - i % 8) & 1);
  return bits;
}

bool within(const std::string& prefix, const std::string& ip) {
  const auto slash = prefix.find('/');
  const auto net = bits_of(prefix.substr(0, slash));
  const auto addr = bits_of(ip);
  if (net.size() != addr.size()) return false;
  const auto length =
      slash == std::string::npos ? net.size() : std::stoul(prefix.substr(slash + 1));
  for (std::size_t i = 0; i < length; ++i) {
    if (net[i] != addr[i]) return false;
  }
  return true;
}

template <class List, class Test>
bool any(const List& list, Test test) {
  for (const auto& one : list) {
    if (test(one)) return true;
  }
  return list.empty();
}

// One side of a flow, as the wire tells it.
struct WireSide {
  std::string ip;
  std::uint32_t port;
  bool has_port;
  v1::Endpoint who;
  std::string service;  // "namespace/name"
  bool here;
};

std::vector<WireSide> sides_of(const v1::NetworkFlow& flow) {
  const bool ports = !flow.has_icmp_type();
  const bool sent = flow.direction() == "egress";
  return {{flow.src_ip(), flow.src_port(), ports, flow.src(), flow.src_service(), sent},
          {flow.dst_ip(), flow.dst_port(), ports, flow.dst(), flow.dst_service(), !sent}};
}

bool ports_match(const Strings& ranges, const WireSide& side) {
  return any(ranges, [&](const std::string& range) {
    const auto dash = range.find('-');
    const auto first = std::stoul(range);
    const auto last = dash == std::string::npos ? first : std::stoul(range.substr(dash + 1));
    return side.has_port && first <= side.port && side.port <= last;
  });
}

bool ips_match(const Strings& prefixes, const WireSide& side) {
  return any(prefixes, [&](const std::string& prefix) { return within(prefix, side.ip); });
}

// The selectors that are tried here.
bool label_is(const std::string& selector, const v1::Endpoint& who) {
  const auto app = who.labels().find("app");
  if (selector == "app") return app != who.labels().end();
  if (selector == "!app") return app == who.labels().end();
  if (selector == "app=web") return app != who.labels().end() && app->second == "web";
  return app == who.labels().end() || app->second != "web";  // "app!=web"
}

bool who_matches(const v1::EndpointFilter& filter, const WireSide& side,
                 const v1::NetworkFlow& flow) {
  const auto& who = side.who;
  const bool pod = who.kind() == "pod";
  const auto service_space = side.service.substr(0, side.service.find('/'));
  const bool service = who.kind() == "service";
  return any(filter.namespaces(),
             [&](const auto& n) {
               return name_is(n, who.namespace_()) || name_is(n, service_space);
             }) &&
         any(filter.pods(),
             [&](const auto& n) { return pod && scoped_is(n, who.namespace_(), who.name()); }) &&
         any(filter.workloads(),
             [&](const auto& n) {
               const auto slash = n.find('/');
               const bool kind = slash == std::string::npos || who.workload_kind() == "Deployment";
               return pod && kind && name_is(n.substr(slash + 1), who.workload());
             }) &&
         any(filter.labels(), [&](const auto& s) { return pod && label_is(s, who); }) &&
         any(filter.services(),
             [&](const auto& n) {
               const auto slash = side.service.find('/');
               return (slash != std::string::npos &&
                       scoped_is(n, service_space, side.service.substr(slash + 1))) ||
                      (service && scoped_is(n, who.namespace_(), who.name()));
             }) &&
         any(filter.nodes(),
             [&](const auto& n) {
               return name_is(n, who.kind() == "node" ? who.name() : who.node());
             }) &&
         any(filter.processes(),
             [&](const auto& n) { return side.here && name_is(n, flow.process()); }) &&
         any(filter.containers(),
             [&](const auto& n) { return side.here && name_is(n, flow.container_name()); });
}

bool is_empty_but_for_pods(v1::EndpointFilter filter) {
  filter.clear_namespaces();
  filter.clear_pods();
  filter.clear_ips();
  filter.clear_ports();
  return filter.ByteSizeLong() == 0;
}

bool side_matches(const v1::EndpointFilter& filter, const WireSide& side,
                  const v1::NetworkFlow& flow) {
  return ips_match(filter.ips(), side) && ports_match(filter.ports(), side) &&
         who_matches(filter, side, flow);
}

bool either_matches(const v1::EndpointFilter& filter, const v1::NetworkFlow& flow) {
  const auto sides = sides_of(flow);
  if (!ips_match(filter.ips(), sides[0]) && !ips_match(filter.ips(), sides[1])) return false;
  if (!ports_match(filter.ports(), sides[0]) && !ports_match(filter.ports(), sides[1]))
    return false;
  if (who_matches(filter, sides[0], flow) || who_matches(filter, sides[1], flow)) return true;
  return is_empty_but_for_pods(filter) &&
         any(filter.namespaces(), [&](const auto& n) { return name_is(n, flow.namespace_()); }) &&
         any(filter.pods(),
             [&](const auto& n) { return scoped_is(n, flow.namespace_(), flow.pod_name()); });
}

bool verdict_is(const std::string& verdict, const v1::NetworkFlow& flow) {
  if (verdict == "failed") return !flow.failure_reason().empty();
  if (flow.protocol() != "TCP") return false;
  const auto& state = flow.connection_state();
  if (verdict == "reset") {
    return state.empty() ? (flow.tcp_flags() & 4U) != 0 : flow.failure_reason() == "reset";
  }
  if (state.empty()) return (flow.tcp_flags() & 0x14U) == 0x10U;
  return state == "ESTABLISHED";  // closed ones here have all failed
}

bool flags_are(const std::string& flags, const v1::NetworkFlow& flow) {
  const auto asked = flags == "SYN" ? 2U : flags == "RST" ? 4U : 0x12U;  // else "SYN,ACK"
  return (flow.tcp_flags() & asked) == asked;
}

bool plainly_matches(const v1::FlowFilter& filter, const v1::NetworkFlow& flow) {
  const auto sides = sides_of(flow);
  const bool v6 = flow.src_ip().find(':') != std::string::npos;
  if (!any(filter.protocols(), [&](const auto& p) { return p == flow.protocol(); })) return false;
  if (!any(filter.directions(), [&](const auto& d) { return d == flow.direction(); })) return false;
  if (!any(filter.ip_versions(), [&](auto v) { return v == (v6 ? 6U : 4U); })) return false;
  if (!any(filter.verdicts(), [&](const auto& v) { return verdict_is(v, flow); })) return false;
  if (filter.failed() && flow.failure_reason().empty()) return false;
  if (!any(filter.tcp_flags(), [&](const auto& f) { return flags_are(f, flow); })) return false;
  if (flow.bytes() < filter.min_bytes()) return false;
  if (flow.rtt_us() < filter.min_rtt_us()) return false;
  if (flow.retransmits() < filter.min_retransmits()) return false;
  for (const auto& none : filter.none_of()) {
    if (plainly_matches(none, flow)) return false;
  }
  return side_matches(filter.source(), sides[0], flow) &&
         side_matches(filter.destination(), sides[1], flow) &&
         either_matches(filter.either(), flow);
}

// --- chance ---

class FilterProperty : public ::testing::Test {
 protected:
  unsigned below(unsigned n) { return std::uniform_int_distribution(0U, n - 1)(random_); }
  bool chance(unsigned one_in) { return below(one_in) == 0; }

  template <std::size_t N>
  const char* pick(const char* const (&values)[N]) {
    return values[below(N)];
  }

  template <std::size_t N>
  void maybe_add(Strings& to, const char* const (&values)[N]) {
    if (!chance(8)) return;
    for (auto i = 1 + below(2); i > 0; --i) *to.Add() = pick(values);
  }

  v1::EndpointFilter endpoint_filter() {
    v1::EndpointFilter filter;
    maybe_add(*filter.mutable_namespaces(), {"shop", "sh*", "infra", "external", "*"});
    maybe_add(*filter.mutable_pods(), {"web-0", "web-*", "shop/web-1", "s*/*", "unknown"});
    maybe_add(*filter.mutable_workloads(), {"web", "deploy/web", "deployment/d*", "db"});
    maybe_add(*filter.mutable_labels(), {"app", "!app", "app=web", "app!=web"});
    maybe_add(*filter.mutable_services(), {"web", "shop/web", "infra/*", "dns"});
    maybe_add(*filter.mutable_nodes(), {"node-0", "node-*", "node-1"});
    maybe_add(*filter.mutable_processes(), {"nginx", "ng*", "sshd"});
    maybe_add(*filter.mutable_containers(), {"server", "s*", "sidecar"});
    maybe_add(*filter.mutable_ips(),
              {"10.0.0.0/31", "10.0.0.2", "fd00::/127", "::/0", "0.0.0.0/0"});
    maybe_add(*filter.mutable_ports(), {"1", "1-2", "0-65535", "3"});
    return filter;
  }

  v1::FlowFilter filter(int depth = 1) {
    v1::FlowFilter filter;
    if (chance(2)) *filter.mutable_either() = endpoint_filter();
    if (chance(3)) *filter.mutable_source() = endpoint_filter();
    if (chance(3)) *filter.mutable_destination() = endpoint_filter();
    maybe_add(*filter.mutable_protocols(), {"TCP", "UDP", "ICMP"});
    maybe_add(*filter.mutable_directions(), {"ingress", "egress"});
    maybe_add(*filter.mutable_verdicts(), {"established", "failed", "reset"});
    maybe_add(*filter.mutable_tcp_flags(), {"SYN", "SYN,ACK", "RST"});
    if (chance(8)) filter.add_ip_versions(chance(2) ? 4 : 6);
    if (chance(8)) filter.set_failed(true);
    if (chance(8)) filter.set_min_bytes(below(4));
    if (chance(8)) filter.set_min_rtt_us(below(4));
    if (chance(8)) filter.set_min_retransmits(below(4));
    for (auto i = below(3); depth > 0 && i > 0; --i) *filter.add_none_of() = this->filter(0);
    return filter;
  }

  EndpointRef endpoint() {
    if (chance(6)) return nullptr;
    if (chance(6)) return external_endpoint();
    Endpoint one{.kind = EndpointKind::kPod, .name_space = pick({"shop", "infra"}), .name = ""};
    if (chance(6)) {
      one.kind = EndpointKind::kNode;
      one.name_space.clear();
      one.name = pick({"node-0", "node-1"});
    } else if (chance(6)) {
      one.kind = EndpointKind::kService;
      one.name = pick({"web", "dns"});
    } else {
      one.name = pick({"web-0", "web-1", "dns-0"});
      one.workload_kind = "Deployment";
      one.workload = pick({"web", "dns"});
      one.node = pick({"node-0", "node-1"});
      if (chance(2)) one.labels = {{"app", pick({"web", "dns"})}};
    }
    return std::make_shared<const Endpoint>(one);
  }

  EndpointRef service() {
    if (chance(2)) return nullptr;
    return std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kService,
                                                     .name_space = pick({"shop", "infra"}),
                                                     .name = pick({"web", "dns"})});
  }

  Flow flow() {
    const bool v6 = chance(2);
    const auto addr = [&] {
      return *parse_addr(v6 ? pick({"fd00::", "fd00::1", "fd00::2"})
                            : pick({"10.0.0.0", "10.0.0.1", "10.0.0.2"}));
    };
    static constexpr std::uint8_t kProtocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
    Flow flow;
    flow.key = {.src = addr(),
                .dst = addr(),
                .src_port = static_cast<std::uint16_t>(below(4)),
                .dst_port = static_cast<std::uint16_t>(below(4)),
                .protocol = kProtocols[below(3)],
                .direction = chance(2) ? Direction::kIngress : Direction::kEgress};
    flow.tcp_flags = static_cast<std::uint8_t>(below(32));
    flow.bytes = below(4);
    FlowOwners owners{.src = endpoint(),
                      .dst = endpoint(),
                      .src_service = service(),
                      .dst_service = service(),
                      .local = {}};
    if (chance(2)) {
      owners.local = std::make_shared<const Owner>(
          Owner{.comm = pick({"nginx", "sshd"}), .container_name = pick({"server", "sidecar"})});
    }
    flow.owners = owners;
    if (flow.key.protocol == IPPROTO_TCP && chance(2)) set_socket(flow);
    return flow;
  }

 private:
  void set_socket(Flow& flow) {
    static constexpr std::uint8_t kErrors[] = {ECONNREFUSED, ECONNRESET, ETIMEDOUT};
    flow.key.socket = 1;
    flow.socket.state = chance(2) ? TCP_ESTABLISHED : TCP_CLOSE;
    if (flow.socket.state == TCP_CLOSE) flow.socket.error = kErrors[below(3)];
    flow.socket.rtt_us = below(4);
    flow.socket.retransmits = below(4);
  }

  std::mt19937 random_{11};
};

TEST_F(FilterProperty, MatchesWhatThePlainReadingMatches) {
  InterfaceNames names;
  int matched = 0;
  constexpr int kRounds = 40'000;
  for (int round = 0; round < kRounds; ++round) {
    v1::StreamEventsRequest request;
    if (chance(2)) *request.mutable_filter() = filter();
    for (auto i = below(3); i > 0; --i) *request.add_allow() = filter();
    for (auto i = below(2); i > 0; --i) *request.add_deny() = filter();
    const auto selection = read_selection(request, true);
    ASSERT_TRUE(selection) << selection.error().what;
    const auto one = flow();
    v1::NetworkFlow wire;
    to_wire(one, names, wire);
    const auto reading = [&](const auto& f) { return plainly_matches(f, wire); };
    bool expected = reading(request.filter()) && any(request.allow(), reading);
    for (const auto& deny : request.deny()) expected = expected && !reading(deny);
    ASSERT_EQ(FlowMatcher(*selection).matches(one), expected) << "round " << round << "\n"
                                                              << request.ShortDebugString() << "\n"
                                                              << wire.ShortDebugString();
    const auto back = from_wire(wire);
    ASSERT_TRUE(back) << back.error().what << "\n" << wire.ShortDebugString();
    ASSERT_EQ(FlowMatcher(*selection).matches(*back), expected)
        << "read back, in round " << round << "\n"
        << request.ShortDebugString() << "\n"
        << wire.ShortDebugString();
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, kRounds / 20) << "both answers are tried";
  EXPECT_LT(matched, kRounds - kRounds / 20);
}

}  // namespace
}  // namespace orb8
