// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace orb8 {
namespace {

Flow tcp_flow() {
  Flow flow;
  flow.key = {.src = Addr::v4(10, 0, 0, 1),
              .dst = *parse_addr("2001:db8::1"),
              .src_port = 4242,
              .dst_port = 443,
              .protocol = IPPROTO_TCP,
              .direction = Direction::kEgress};
  flow.ifindex = 1;
  flow.tcp_flags = kTcpSyn | kTcpAck;
  flow.packets = 7;
  flow.bytes = 7'000'000'000;
  flow.first_seen_ns = 1'700'000'000'000'000'001;
  flow.last_seen_ns = 1'700'000'000'000'000'002;
  flow.cgroup_id = 99;
  return flow;
}

TEST(Wire, FillsEveryFieldOfAFlow) {
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(tcp_flow(), names, wire);
  EXPECT_EQ(wire.namespace_(), "external");
  EXPECT_EQ(wire.pod_name(), "unknown");
  EXPECT_EQ(wire.src_ip(), "10.0.0.1");
  EXPECT_EQ(wire.dst_ip(), "2001:db8::1");
  EXPECT_EQ(wire.src_port(), 4242U);
  EXPECT_EQ(wire.dst_port(), 443U);
  EXPECT_EQ(wire.protocol(), "TCP");
  EXPECT_EQ(wire.direction(), "egress");
  EXPECT_EQ(wire.bytes(), 7'000'000'000U);
  EXPECT_EQ(wire.packets(), 7U);
  EXPECT_EQ(wire.first_seen_ns(), 1'700'000'000'000'000'001);
  EXPECT_EQ(wire.last_seen_ns(), 1'700'000'000'000'000'002);
  EXPECT_EQ(wire.tcp_flags(), 0x12U);
  EXPECT_EQ(wire.interface(), "lo");
  EXPECT_EQ(wire.cgroup_id(), 99U);
  EXPECT_FALSE(wire.has_icmp_type());
}

TEST(Wire, GivesIcmpTypeAndCodeInsteadOfPorts) {
  auto flow = tcp_flow();
  flow.key.protocol = IPPROTO_ICMP;
  flow.key.src_port = 0;
  flow.key.dst_port = 0;
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.src_port(), 0U);
  EXPECT_TRUE(wire.has_icmp_type()) << "an echo reply has type 0";
  EXPECT_EQ(wire.icmp_code(), 0U);
  EXPECT_EQ(wire.protocol(), "ICMP");
}

TEST(Wire, SaturatesTheOldByteFieldAndKeepsTheWholeInTheNewOne) {
  Event event;
  event.flow = tcp_flow();
  event.bytes = 5'000'000'000;
  event.packets = 3;
  InterfaceNames names;
  v1::NetworkEvent wire;
  to_wire(event, names, 12, wire);
  EXPECT_EQ(wire.bytes(), UINT32_MAX);
  EXPECT_EQ(wire.byte_count(), 5'000'000'000U);
  EXPECT_EQ(wire.packets(), 3U);
  EXPECT_EQ(wire.total_bytes(), 7'000'000'000U);
  EXPECT_EQ(wire.dropped_before(), 12U);
  EXPECT_EQ(wire.type(), v1::EVENT_TYPE_FLOW_UPDATE);
}

TEST(Wire, NamesThePodThatAFlowIsSeenFrom) {
  auto flow = tcp_flow();
  const auto pod = [](const char* name) {
    return std::make_shared<const Endpoint>(Endpoint{EndpointKind::kPod, "shop", name});
  };
  flow.owners = {.src = pod("client"), .dst = pod("server")};
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.pod_name(), "client");
  flow.key.direction = Direction::kIngress;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.pod_name(), "server");
  flow.owners.dst = nullptr;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.pod_name(), "client") << "the peer, where nobody is known here";
}

TEST(Wire, JoinsTheReasonsOfADegradedAgent) {
  Status status;
  status.components = {{.name = "flow-source"},
                       {.name = "flow-table", .healthy = false, .reason = "3 flows evicted"},
                       {.name = "interfaces", .healthy = false, .reason = "attach to eth0"}};
  status.started_ns = 1'000'000'000;
  v1::AgentStatus wire;
  to_wire(status, {"node-1", "1.0"}, 61'500'000'000, wire);
  EXPECT_FALSE(wire.healthy());
  EXPECT_EQ(wire.health_message(), "flow-table: 3 flows evicted; interfaces: attach to eth0");
  EXPECT_EQ(wire.uptime_seconds(), 60);
  EXPECT_EQ(wire.components_size(), 3);
}

}  // namespace
}  // namespace orb8
