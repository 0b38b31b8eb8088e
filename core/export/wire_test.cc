// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

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
  flow.owners = FlowOwners{.local = std::make_shared<const Owner>(Owner{.cgroup_id = 99})};
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

TEST(Wire, TellsWhoseSocketItIsAndHowItDoes) {
  auto flow = tcp_flow();
  flow.key.socket = 4242;
  flow.payload_bytes = 6'000'000'000;
  flow.socket = {.retransmitted_bytes = 5'000'000'000,
                 .netns = 4026531840,
                 .rtt_us = 1200,
                 .min_rtt_us = 800,
                 .cwnd = 10,
                 .unread_bytes = 1,
                 .unsent_bytes = 2,
                 .retransmits = 3,
                 .state = 7,      // TCP_CLOSE
                 .old_state = 2,  // TCP_SYN_SENT
                 .role = Role::kClient,
                 .error = ECONNREFUSED};
  auto owner = std::make_shared<Owner>();
  owner->pid = 77;
  owner->comm = "curl\xff";
  owner->cgroup_path = "/a";
  owner->container_id = std::string(64, 'c');
  owner->container_name = "web";
  flow.owners = FlowOwners{.local = owner};
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.socket_cookie(), 4242U);
  EXPECT_EQ(wire.netns(), 4026531840U);
  EXPECT_EQ(wire.pid(), 77U);
  EXPECT_EQ(wire.process(), "curl\xEF\xBF\xBD") << "a name need not be UTF-8, a string must";
  EXPECT_EQ(wire.cgroup_path(), "/a");
  EXPECT_EQ(wire.container_id(), std::string(64, 'c'));
  EXPECT_EQ(wire.container_name(), "web");
  EXPECT_EQ(wire.connection_state(), "CLOSE");
  EXPECT_EQ(wire.role(), "client");
  EXPECT_EQ(wire.failure_reason(), "refused");
  EXPECT_EQ(wire.rtt_us(), 1200U);
  EXPECT_EQ(wire.min_rtt_us(), 800U);
  EXPECT_EQ(wire.retransmits(), 3U);
  EXPECT_EQ(wire.retransmitted_bytes(), 5'000'000'000U);
  EXPECT_EQ(wire.payload_bytes(), 6'000'000'000U);
  EXPECT_EQ(wire.unread_bytes(), 1U);
  EXPECT_EQ(wire.unsent_bytes(), 2U);
  EXPECT_EQ(wire.cwnd(), 10U);
}

TEST(Wire, SaysNothingOfASocketThatNobodyLookedAt) {
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(tcp_flow(), names, wire);
  EXPECT_EQ(wire.role(), "");
  EXPECT_EQ(wire.connection_state(), "");
  EXPECT_EQ(wire.process(), "");
}

TEST(Wire, TellsWhatTheSocketsOfACollapsedRowKnow) {
  auto flow = tcp_flow();
  flow.key.src_port = 0;
  flow.socket.role = Role::kClient;
  flow.socket.rtt_us = 1200;
  flow.socket.retransmits = 3;
  flow.payload_bytes = 6'000'000'000;
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.role(), "client");
  EXPECT_EQ(wire.rtt_us(), 1200U);
  EXPECT_EQ(wire.retransmits(), 3U);
  EXPECT_EQ(wire.payload_bytes(), 6'000'000'000U);
  EXPECT_EQ(wire.socket_cookie(), 0U);
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
  flow.owners = FlowOwners{.src = pod("client"), .dst = pod("server")};
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.pod_name(), "client");
  flow.key.direction = Direction::kIngress;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.pod_name(), "server");
  flow.owners = FlowOwners{.src = pod("client")};
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.pod_name(), "client") << "the peer, where nobody is known here";
}

TEST(Wire, SaysAllThatIsKnownOfBothSides) {
  auto flow = tcp_flow();
  FlowOwners owners;
  owners.src = std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kPod,
                                                         .name_space = "shop",
                                                         .name = "web-7d9f-x",
                                                         .uid = "u1",
                                                         .workload_kind = "Deployment",
                                                         .workload = "web",
                                                         .node = "node-1",
                                                         .zone = "zone-a",
                                                         .labels = {{"app", "web"}}});
  owners.dst = external_endpoint();
  const Endpoint service{
      .kind = EndpointKind::kService, .name_space = "shop", .name = "db", .port = "sql"};
  owners.dst_service = std::make_shared<const Endpoint>(service);
  flow.owners = owners;
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(flow, names, wire);
  EXPECT_EQ(wire.src().kind(), "pod");
  EXPECT_EQ(wire.src().namespace_(), "shop");
  EXPECT_EQ(wire.src().name(), "web-7d9f-x");
  EXPECT_EQ(wire.src().uid(), "u1");
  EXPECT_EQ(wire.src().workload_kind(), "Deployment");
  EXPECT_EQ(wire.src().workload(), "web");
  EXPECT_EQ(wire.src().node(), "node-1");
  EXPECT_EQ(wire.src().zone(), "zone-a");
  EXPECT_EQ(wire.src().labels().at("app"), "web");
  EXPECT_EQ(wire.dst().kind(), "external");
  EXPECT_EQ(wire.dst_service(), "shop/db");
  EXPECT_EQ(wire.dst_service_port(), "sql");
  EXPECT_EQ(wire.src_service(), "");

  owners.src_service = std::exchange(owners.dst_service, nullptr);
  flow.owners = owners;
  v1::NetworkEvent event;
  to_wire(Event{.flow = flow}, names, 0, event);
  EXPECT_EQ(event.src().name(), "web-7d9f-x");
  EXPECT_EQ(event.src_service(), "shop/db");
  EXPECT_EQ(event.src_service_port(), "sql");
}

TEST(Wire, SaysNothingOfASideThatNobodyKnows) {
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(tcp_flow(), names, wire);
  EXPECT_FALSE(wire.has_src());
  EXPECT_FALSE(wire.has_dst());
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

TEST(Wire, FillsEveryFieldOfTheStatus) {
  Status status;
  status.source.name = "tc";
  status.source.reason = "asked for";
  status.source.programs = {{"network_probe", "eth0", 2, "ingress", "tcx"}};
  status.source.accounting.counted = {.packets = 1, .bytes = 2};
  status.source.accounting.spilled = {.packets = 3, .bytes = 4};
  status.source.accounting.lost = {.packets = 5, .bytes = 6};
  status.source.accounting.duplicate = {.packets = 7, .bytes = 8};
  status.source.accounting.own = {.packets = 9, .bytes = 10};
  status.source.accounting.not_ip = {.packets = 11, .bytes = 12};
  status.source.accounting.truncated = {.packets = 13, .bytes = 14};
  status.source.accounting.unparsed = {.packets = 15, .bytes = 16};
  status.source.accounting.packet_events = 17;
  status.source.accounting.packet_events_lost = 18;
  status.components = {{.name = "flow-source"}};
  status.events_processed = 19;
  status.events_dropped = 20;
  status.subscriber_drops = 21;
  status.flows_evicted = 22;
  status.flows_expired = 23;
  status.active_flows = 24;
  status.max_flows = 25;
  status.subscribers = 26;
  status.flows_ended_unseen = 28;
  status.source.socket_ends_missed = 29;
  status.source.sockets_untracked = 30;
  status.metric_series = 36;
  status.metric_series_folded = 37;
  status.pods_tracked = 27;
  status.pods_evicted = 31;
  status.exporters = {{.name = "file",
                       .target = "/var/log/flows",
                       .healthy = false,
                       .exported = 36,
                       .dropped = 37,
                       .failed = 38,
                       .reason = "full"}};
  status.kubernetes = {
      .skipped_objects = 32, .relists = 33, .reconnects = 34, .failed_requests = 35};
  status.started_ns = 0;
  v1::AgentStatus wire;
  to_wire(status, {"node-1", "1.0"}, 27'000'000'000, wire);

  v1::AgentStatus expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(node_name: "node-1" version: "1.0" healthy: true health_message: "ok"
         events_processed: 19 events_dropped: 20 pods_tracked: 27 active_flows: 24 uptime_seconds: 27
         flow_source: "tc" flow_source_reason: "asked for"
         components { name: "flow-source" healthy: true }
         programs { program: "network_probe" interface: "eth0" ifindex: 2
                    direction: "ingress" mechanism: "tcx" }
         accounting {
           counted { packets: 1 bytes: 2 } spilled { packets: 3 bytes: 4 }
           lost { packets: 5 bytes: 6 } duplicate { packets: 7 bytes: 8 }
           own { packets: 9 bytes: 10 } not_ip { packets: 11 bytes: 12 }
           truncated { packets: 13 bytes: 14 } unparsed { packets: 15 bytes: 16 }
           packet_events: 17 packet_events_lost: 18 }
         flows_evicted: 22 flows_expired: 23 max_flows: 25 subscribers: 26
         subscriber_drops: 21 pods_evicted: 31
         kubernetes { watch_restarts: 34 relists: 33 skipped_objects: 32 failed_requests: 35 }
         flows_ended_unseen: 28 socket_ends_missed: 29 sockets_untracked: 30
         metric_series: 36 metric_series_folded: 37
         exporters { name: "file" target: "/var/log/flows" exported: 36 dropped: 37 failed: 38
                     reason: "full" })",
      &expected));
  EXPECT_EQ(wire.DebugString(), expected.DebugString());
}

TEST(Wire, SaysNothingOfKubernetesWhereNoClusterIsWatched) {
  v1::AgentStatus wire;
  to_wire(Status{}, {"node-1", "1.0"}, 0, wire);
  EXPECT_FALSE(wire.has_kubernetes());
}

TEST(Wire, SaysThatAnAgentWhoseClockWasSetBackJustStarted) {
  Status status;
  status.started_ns = 2'000'000'000;
  v1::AgentStatus wire;
  to_wire(status, {"node-1", "1.0"}, 1'000'000'000, wire);
  EXPECT_EQ(wire.uptime_seconds(), 0);
}

TEST(Wire, StaysReadableWhateverAnInterfaceIsCalled) {
  Status status;
  status.components = {{.name = "interfaces", .healthy = false, .reason = "attach to \xFF"}};
  status.source.programs = {{"network_probe", "\xFF", 2, "ingress", "tcx"}};
  v1::AgentStatus wire;
  to_wire(status, {"node-1", "1.0"}, 0, wire);
  EXPECT_EQ(wire.programs(0).interface(), "\xEF\xBF\xBD");
  EXPECT_EQ(wire.health_message(), "interfaces: attach to \xEF\xBF\xBD");
}

TEST(Wire, NamesWhatAnEventIsAndWhyAFlowEnded) {
  const std::vector<std::tuple<EventKind, EndReason, v1::EventType, std::string>> cases = {
      {EventKind::kFlowStart, EndReason::kNone, v1::EVENT_TYPE_FLOW_START, ""},
      {EventKind::kFlowUpdate, EndReason::kNone, v1::EVENT_TYPE_FLOW_UPDATE, ""},
      {EventKind::kFlowEnd, EndReason::kClosed, v1::EVENT_TYPE_FLOW_END, "closed"},
      {EventKind::kFlowEnd, EndReason::kIdle, v1::EVENT_TYPE_FLOW_END, "idle"},
      {EventKind::kFlowEnd, EndReason::kEvicted, v1::EVENT_TYPE_FLOW_END, "evicted"},
      {EventKind::kPacket, EndReason::kNone, v1::EVENT_TYPE_PACKET, ""}};
  InterfaceNames names;
  for (const auto& [kind, reason, type, words] : cases) {
    Event event{.kind = kind, .end_reason = reason, .flow = tcp_flow(), .timestamp_ns = 5};
    v1::NetworkEvent wire;
    to_wire(event, names, 0, wire);
    EXPECT_EQ(wire.type(), type);
    EXPECT_EQ(wire.end_reason(), words);
    EXPECT_EQ(wire.timestamp_ns(), 5);
  }
}

}  // namespace
}  // namespace orb8
