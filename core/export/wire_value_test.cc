// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_value.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>

#include "core/export/wire.h"
#include "core/model/verdict.h"

namespace orb8 {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;

Endpoint pod(const std::string& name) {
  return {.kind = EndpointKind::kPod,
          .name_space = "shop",
          .name = name,
          .uid = "u-" + name,
          .workload_kind = "Deployment",
          .workload = "web",
          .node = "node-1",
          .zone = "zone-a",
          .labels = {{"app", "web"}, {"tier", "front"}}};
}

// With all that a filter can ask for.
Flow full_flow() {
  Flow flow;
  flow.key = {.src = Addr::v4(10, 0, 0, 1),
              .dst = *parse_addr("2001:db8::1"),
              .src_port = 4242,
              .dst_port = 443,
              .protocol = IPPROTO_TCP,
              .direction = Direction::kEgress,
              .socket = 77};
  flow.ifindex = 1;
  flow.tcp_flags = kTcpSyn | kTcpAck;
  flow.packets = 7;
  flow.bytes = 7'000'000'000;
  flow.payload_bytes = 6'000'000'000;
  flow.first_seen_ns = 1'700'000'000'000'000'001;
  flow.last_seen_ns = 1'700'000'000'000'000'002;
  flow.socket = {.retransmitted_bytes = 5'000'000'000,
                 .netns = 4026531840,
                 .rtt_us = 1200,
                 .min_rtt_us = 800,
                 .cwnd = 10,
                 .unread_bytes = 1,
                 .unsent_bytes = 2,
                 .retransmits = 3,
                 .state = TCP_CLOSE,
                 .old_state = TCP_SYN_SENT,
                 .role = Role::kClient,
                 .error = ECONNREFUSED};
  const Endpoint service{
      .kind = EndpointKind::kService, .name_space = "shop", .name = "db", .port = "sql"};
  flow.owners =
      FlowOwners{.src = std::make_shared<const Endpoint>(pod("web-0")),
                 .dst = external_endpoint(),
                 .src_service = nullptr,
                 .dst_service = std::make_shared<const Endpoint>(service),
                 .local = std::make_shared<const Owner>(Owner{.cgroup_id = 99,
                                                              .pid = 4,
                                                              .comm = "curl",
                                                              .cgroup_path = "/a",
                                                              .container_id = std::string(64, 'c'),
                                                              .container_name = "web"})};
  return flow;
}

v1::NetworkFlow wire_of(const Flow& flow) {
  InterfaceNames names;
  v1::NetworkFlow wire;
  to_wire(flow, names, wire);
  return wire;
}

void expect_kept(const Flow& flow) {
  const auto told = wire_of(flow);
  const auto back = from_wire(told);
  ASSERT_TRUE(back) << back.error().what;
  const auto again = wire_of(*back);
  EXPECT_TRUE(MessageDifferencer::Equals(told, again)) << told.DebugString() << "\n"
                                                       << again.DebugString();
}

TEST(WireValue, KeepsAllThatTheWireTellsOfAFlow) {
  expect_kept(full_flow());
}

TEST(WireValue, KeepsAPingAndARowWithoutASocket) {
  auto ping = full_flow();
  ping.key.protocol = IPPROTO_ICMPV6;
  ping.key.src_port = 128;
  ping.key.dst_port = 0;
  ping.key.socket = 0;
  ping.socket = {};
  ping.payload_bytes = 0;
  ping.owners = {};
  expect_kept(ping);
  auto collapsed = full_flow();
  collapsed.key.socket = 0;
  collapsed.key.src_port = 0;
  expect_kept(collapsed);
}

TEST(WireValue, KeepsAllThatTheWireTellsOfAnEvent) {
  InterfaceNames names;
  for (const auto kind : {EventKind::kFlowStart, EventKind::kFlowUpdate, EventKind::kFlowEnd}) {
    Event event;
    event.kind = kind;
    event.end_reason = kind == EventKind::kFlowEnd ? EndReason::kIdle : EndReason::kNone;
    event.flow = full_flow();
    event.packets = 3;
    event.bytes = 5'000'000'000;
    event.timestamp_ns = 1'700'000'000'000'000'009;
    v1::NetworkEvent told;
    to_wire(event, names, 0, told);
    const auto back = from_wire(told);
    ASSERT_TRUE(back) << back.error().what;
    v1::NetworkEvent again;
    to_wire(*back, names, 0, again);
    EXPECT_TRUE(MessageDifferencer::Equals(told, again)) << again.DebugString();
  }
}

TEST(WireValue, TakesAnEventWithoutATypeForAPacket) {
  v1::NetworkEvent wire;
  wire.set_src_ip("10.0.0.1");
  wire.set_dst_ip("10.0.0.2");
  wire.set_protocol("TCP");
  wire.set_direction("ingress");
  wire.set_bytes(74);
  const auto event = from_wire(wire);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, EventKind::kPacket);
  EXPECT_EQ(event->flow.bytes, 74U) << "what min_bytes is held against";
  EXPECT_EQ(event->packets, 1U);
}

TEST(WireValue, KnowsThePodThatHasANameAlone) {
  auto wire = wire_of(full_flow());
  wire.clear_src();
  wire.clear_dst();
  auto flow = from_wire(wire);
  ASSERT_TRUE(flow);
  EXPECT_EQ(shown_pod(flow->key, *flow->owners).name, "web-0");
  EXPECT_EQ(flow->owners->dst, nullptr);
  wire.set_namespace_("external");
  wire.set_pod_name("unknown");
  EXPECT_EQ(from_wire(wire)->owners->src, nullptr);
}

TEST(WireValue, TakesAConnectionThatIsOverForOneThatWasEstablished) {
  auto wire = wire_of(full_flow());
  EXPECT_TRUE(has_verdict(*from_wire(wire), Verdict::kFailed));
  wire.clear_failure_reason();
  EXPECT_TRUE(has_verdict(*from_wire(wire), Verdict::kEstablished));
  EXPECT_FALSE(has_verdict(*from_wire(wire), Verdict::kFailed));
}

std::string why_not(const std::function<void(v1::NetworkFlow&)>& spoil) {
  auto wire = wire_of(full_flow());
  spoil(wire);
  const auto flow = from_wire(wire);
  return flow ? "" : flow.error().what;
}

TEST(WireValue, NamesTheFieldWhoseValueIsNone) {
  EXPECT_EQ(why_not([](auto& w) { w.set_src_ip("10.0.0"); }),
            "src_ip: '10.0.0' is not allowed; it must be an IP address");
  EXPECT_THAT(why_not([](auto& w) { w.set_dst_ip(""); }), HasSubstr("dst_ip: '' is not"));
  EXPECT_EQ(why_not([](auto& w) { w.set_src_port(65536); }),
            "src_port: '65536' is not allowed; it must be a number from 0 to 65535");
  EXPECT_THAT(why_not([](auto& w) { w.set_protocol("TPC"); }), HasSubstr("protocol: 'TPC'"));
  EXPECT_THAT(why_not([](auto& w) { w.set_direction("up"); }), HasSubstr("direction: 'up'"));
  EXPECT_THAT(why_not([](auto& w) { w.set_role("boss"); }), HasSubstr("role: 'boss'"));
  EXPECT_THAT(why_not([](auto& w) { w.set_connection_state("TIRED"); }),
              HasSubstr("connection_state: 'TIRED'"));
  EXPECT_THAT(why_not([](auto& w) { w.set_failure_reason("bored\n"); }),
              HasSubstr("failure_reason: 'bored?' is not"));
}

}  // namespace
}  // namespace orb8
