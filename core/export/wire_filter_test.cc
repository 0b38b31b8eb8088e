// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <functional>
#include <string>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(WireFilter, ReadsEveryField) {
  v1::FlowFilter wire;
  wire.add_ips("10.0.0.0/8");
  wire.add_ports(53);
  wire.add_protocols("udp");
  wire.add_directions("egress");
  wire.set_failed(true);
  wire.add_verdicts("established");
  wire.add_tcp_flags("SYN,ACK");
  wire.add_ip_versions(6);
  wire.set_min_rtt_us(7);
  wire.set_min_bytes(8);
  wire.set_min_retransmits(9);
  wire.mutable_source()->add_namespaces("shop");
  wire.mutable_destination()->add_services("shop/web");
  wire.mutable_either()->add_ports("8000-8999");
  wire.add_none_of()->add_protocols("tcp");
  const auto filter = from_wire(wire, "filter.");
  ASSERT_TRUE(filter) << filter.error().what;
  EXPECT_THAT(filter->either.prefixes, ElementsAre(*parse_prefix("10.0.0.0/8")));
  EXPECT_THAT(filter->either.ports, ElementsAre(PortRange{53, 53}, PortRange{8000, 8999}));
  EXPECT_THAT(filter->protocols, ElementsAre(IPPROTO_UDP));
  EXPECT_THAT(filter->directions, ElementsAre(Direction::kEgress));
  EXPECT_THAT(filter->verdicts, ElementsAre(Verdict::kEstablished));
  EXPECT_THAT(filter->tcp_flags, ElementsAre(kTcpSyn | kTcpAck));
  EXPECT_THAT(filter->versions, ElementsAre(IpVersion::kV6));
  EXPECT_TRUE(filter->failed);
  EXPECT_EQ(filter->min_rtt_us, 7U);
  EXPECT_EQ(filter->min_bytes, 8U);
  EXPECT_EQ(filter->min_retransmits, 9U);
  EXPECT_THAT(filter->source.namespaces, ElementsAre(*parse_name_pattern("shop")));
  EXPECT_THAT(filter->destination.services, ElementsAre(*parse_scoped_pattern("shop/web")));
  ASSERT_THAT(filter->none_of, SizeIs(1));
  EXPECT_THAT(filter->none_of.front().protocols, ElementsAre(IPPROTO_TCP));
}

TEST(WireFilter, ReadsEveryFieldOfASide) {
  v1::FlowFilter wire;
  auto& side = *wire.mutable_source();
  side.add_namespaces("sh*");
  side.add_pods("shop/web-*");
  side.add_workloads("deploy/web");
  side.add_labels("app=web");
  side.add_services("web");
  side.add_nodes("node-7");
  side.add_containers("server");
  side.add_processes("nginx");
  side.add_ips("fd00::1");
  side.add_ports("443");
  const auto filter = from_wire(wire, "");
  ASSERT_TRUE(filter) << filter.error().what;
  const auto& source = filter->source;
  EXPECT_THAT(source.namespaces, ElementsAre(*parse_name_pattern("sh*")));
  EXPECT_THAT(source.pods, ElementsAre(*parse_scoped_pattern("shop/web-*")));
  EXPECT_THAT(source.workloads, ElementsAre(*parse_workload_pattern("deploy/web")));
  EXPECT_THAT(source.labels, SizeIs(1));
  EXPECT_THAT(source.services, ElementsAre(*parse_scoped_pattern("web")));
  EXPECT_THAT(source.nodes, ElementsAre(*parse_name_pattern("node-7")));
  EXPECT_THAT(source.containers, ElementsAre(*parse_name_pattern("server")));
  EXPECT_THAT(source.processes, ElementsAre(*parse_name_pattern("nginx")));
  EXPECT_THAT(source.prefixes, ElementsAre(*parse_prefix("fd00::1")));
  EXPECT_THAT(source.ports, ElementsAre(PortRange{443, 443}));
}

std::string refusal(const std::function<void(v1::FlowFilter&)>& set) {
  v1::StreamEventsRequest request;
  set(*request.mutable_filter());
  const auto read = read_selection(request, true);
  if (read) return "none";
  EXPECT_EQ(read.error().code, Errc::kInvalid);
  return read.error().what;
}

TEST(WireFilter, NamesFieldValueAndWhatIsAllowed) {
  EXPECT_EQ(refusal([](auto& f) { f.add_ips("10.0.0.0/33"); }),
            "filter.ips: '10.0.0.0/33' is not allowed; it must be an address or a prefix, as "
            "10.0.0.0/8 or fd00::/8");
  EXPECT_EQ(refusal([](auto& f) { f.add_ports(65536); }),
            "filter.ports: '65536' is not allowed; it must be a number from 0 to 65535");
  EXPECT_EQ(refusal([](auto& f) { f.add_protocols("tpc"); }),
            "filter.protocols: 'tpc' is not allowed; it must be a protocol's name, as TCP or "
            "ICMPv6, or a number from 0 to 255");
  EXPECT_EQ(refusal([](auto& f) { f.add_directions("up"); }),
            "filter.directions: 'up' is not allowed; it must be ingress or egress");
  EXPECT_EQ(refusal([](auto& f) { f.add_verdicts("slow"); }),
            "filter.verdicts: 'slow' is not allowed; it must be established, failed or reset");
  EXPECT_EQ(refusal([](auto& f) { f.add_tcp_flags("SYM"); }),
            "filter.tcp_flags: 'SYM' is not allowed; it must be flags out of SYN, FIN, RST, PSH, "
            "ACK, URG, ECE and CWR, as SYN,ACK");
  EXPECT_EQ(refusal([](auto& f) { f.add_ip_versions(5); }),
            "filter.ip_versions: '5' is not allowed; it must be 4 or 6");
}

TEST(WireFilter, NamesTheSideOfAValue) {
  EXPECT_EQ(refusal([](auto& f) { f.mutable_source()->add_ports("9-8"); }),
            "filter.source.ports: '9-8' is not allowed; it must be a port or a range, as 443 or "
            "8000-8999");
  EXPECT_EQ(refusal([](auto& f) { f.mutable_destination()->add_labels("app in"); }),
            "filter.destination.labels: 'app in' is not allowed; it must be a label selector, as "
            "app=web or 'tier in (a,b),!canary'");
  EXPECT_EQ(refusal([](auto& f) { f.mutable_either()->add_pods("a/b/c"); }),
            "filter.either.pods: 'a/b/c' is not allowed; it must be [NAMESPACE/]NAME, each with a "
            "star at most at its end, as web-0 or shop/web-*");
  EXPECT_EQ(refusal([](auto& f) { f.add_none_of()->mutable_either()->add_workloads("/web"); }),
            "filter.none_of.either.workloads: '/web' is not allowed; it must be [KIND/]NAME, with "
            "a star at most at the name's end, as web or deployment/web-*");
}

TEST(WireFilter, RefusesMoreThanAFilterTakes) {
  EXPECT_EQ(refusal([](auto& f) {
              for (int i = 0; i < 1001; ++i) f.add_ips("10.0.0.1");
            }),
            "filter.ips: '1001 values' is not allowed; it must be at most 1000");
  EXPECT_EQ(refusal([](auto& f) {
              for (int i = 0; i < 1001; ++i) f.add_ports(53);
            }),
            "filter.ports: '1001 values' is not allowed; it must be at most 1000");
  EXPECT_EQ(refusal([](auto& f) {
              for (int i = 0; i < 101; ++i) f.add_none_of();
            }),
            "filter.none_of: '101 values' is not allowed; it must be at most 100");
  EXPECT_EQ(refusal([](auto& f) { f.add_none_of()->add_none_of(); }),
            "filter.none_of.none_of: '1 values' is not allowed; it must be empty");
}

TEST(WireFilter, QuotesALongValueInShort) {
  EXPECT_EQ(refusal([](auto& f) { f.add_directions("up\n" + std::string(1'000'000, 'x')); }),
            "filter.directions: 'up?" + std::string(97, 'x') +
                "...' is not allowed; it must be ingress or egress");
}

TEST(WireSelection, PutsTheFieldsOfARequestTogether) {
  v1::QueryFlowsRequest request;
  request.add_namespaces("shop");
  request.add_pod_names("web-0");
  request.mutable_filter()->add_ports(80);
  request.add_allow()->add_protocols("tcp");
  request.add_deny()->add_protocols("udp");
  request.add_deny()->add_protocols("sctp");
  const auto selection = read_selection(request, true);
  ASSERT_TRUE(selection);
  EXPECT_THAT(selection->all.either.namespaces, ElementsAre(*parse_name_pattern("shop")));
  EXPECT_THAT(selection->all.either.pods, ElementsAre(*parse_scoped_pattern("web-0")));
  EXPECT_THAT(selection->all.either.ports, SizeIs(1));
  EXPECT_THAT(selection->allow, SizeIs(1));
  EXPECT_THAT(selection->deny, SizeIs(2));
}

TEST(WireSelection, NamesTheListThatAValueIsIn) {
  v1::QueryFlowsRequest request;
  request.add_deny()->add_protocols("tpc");
  EXPECT_THAT(read_selection(request, true).error().what,
              ::testing::StartsWith("deny.protocols: 'tpc' is not allowed"));
  request.Clear();
  for (int i = 0; i < 1001; ++i) request.add_pod_names("web");
  EXPECT_EQ(read_selection(request, true).error().what,
            "pod_names: '1001 values' is not allowed; it must be at most 1000");
}

TEST(WireSelection, RefusesLabelsWhereFlowsHaveNone) {
  v1::StreamEventsRequest request;
  request.add_allow()->add_none_of()->mutable_source()->add_labels("app=web");
  EXPECT_TRUE(read_selection(request, true));
  const auto refused = read_selection(request, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what,
            "labels: flows do not have them here; set ORB8_LABELS=on where they are watched, or "
            "ask by workload or pod");
}

}  // namespace
}  // namespace orb8
