// SPDX-License-Identifier: Apache-2.0
#include "core/model/flow.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/event.h"
#include "core/model/status.h"

namespace orb8 {
namespace {

EndpointRef owner(EndpointKind kind, std::string name_space, std::string name) {
  return std::make_shared<const Endpoint>(
      Endpoint{.kind = kind, .name_space = std::move(name_space), .name = std::move(name)});
}

std::string shown(Direction direction, const FlowOwners& owners) {
  const auto pod = shown_pod({.direction = direction}, owners);
  return std::string(pod.name_space) + "/" + std::string(pod.name);
}

TEST(Direction, ReadsWhatItPrints) {
  for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
    EXPECT_EQ(parse_direction(to_string(direction)), direction);
  }
  for (const std::string_view text : {"", "in", "egress ", "both"}) {
    EXPECT_FALSE(parse_direction(text)) << text;
  }
}

TEST(Protocol, NamesTheCommonOnes) {
  EXPECT_EQ(protocol_name(IPPROTO_TCP), "TCP");
  EXPECT_EQ(protocol_name(IPPROTO_UDP), "UDP");
  EXPECT_EQ(protocol_name(IPPROTO_ICMP), "ICMP");
  EXPECT_EQ(protocol_name(IPPROTO_ICMPV6), "ICMPv6");
  EXPECT_EQ(protocol_name(IPPROTO_SCTP), "SCTP");
}

TEST(Protocol, ReadsBackEveryNameAndNumber) {
  for (int number = 0; number <= 255; ++number) {
    const auto protocol = static_cast<std::uint8_t>(number);
    EXPECT_EQ(parse_protocol(protocol_name(protocol)), protocol);
    EXPECT_EQ(parse_protocol(std::to_string(number)), protocol);
  }
}

TEST(Protocol, TakesNamesInAnyCase) {
  EXPECT_EQ(parse_protocol("tcp"), IPPROTO_TCP);
  EXPECT_EQ(parse_protocol("Udp"), IPPROTO_UDP);
  EXPECT_EQ(parse_protocol("ICMPV6"), IPPROTO_ICMPV6);
}

TEST(Protocol, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "256", "-1", "+6", "6 ", " 6", "0x6", "tc", "tcpp", "http"}) {
    EXPECT_FALSE(parse_protocol(text)) << '"' << text << '"';
  }
}

TEST(TcpFlags, ListsEveryFlagOnce) {
  EXPECT_EQ(tcp_flags_text(0), "");
  EXPECT_EQ(tcp_flags_text(kTcpSyn), "SYN");
  EXPECT_EQ(tcp_flags_text(kTcpSyn | kTcpAck), "SYN|ACK");
  EXPECT_EQ(tcp_flags_text(0xff), "SYN|FIN|RST|PSH|ACK|URG|ECE|CWR");
}

TEST(TcpFlags, AreReadByTheirNames) {
  EXPECT_EQ(parse_tcp_flags("SYN"), kTcpSyn);
  EXPECT_EQ(parse_tcp_flags("syn,ack"), kTcpSyn | kTcpAck);
  for (int flags = 1; flags < 256; ++flags) {
    const auto bits = static_cast<std::uint8_t>(flags);
    EXPECT_EQ(parse_tcp_flags(tcp_flags_text(bits)), bits);
  }
  for (const std::string_view text : {"", "S", "SYN,", ",SYN", "SYN ACK", "NONE"}) {
    EXPECT_FALSE(parse_tcp_flags(text)) << text;
  }
}

TEST(FlowKey, HashesEveryField) {
  const FlowKey key{.src = Addr::v4(10, 0, 0, 1),
                    .dst = Addr::v4(10, 0, 0, 2),
                    .src_port = 1234,
                    .dst_port = 80,
                    .protocol = IPPROTO_TCP,
                    .direction = Direction::kEgress};
  std::set<std::size_t> hashes = {FlowKeyHash{}(key)};
  const std::vector<std::function<void(FlowKey&)>> changes = {
      [](FlowKey& k) { k.src.bytes[0] ^= 1U; },
      [](FlowKey& k) { k.src.bytes[15] ^= 1U; },
      [](FlowKey& k) { k.dst.bytes[0] ^= 1U; },
      [](FlowKey& k) { k.dst.bytes[15] ^= 1U; },
      [](FlowKey& k) { k.src_port ^= 1U; },
      [](FlowKey& k) { k.dst_port ^= 1U; },
      [](FlowKey& k) { k.protocol ^= 1U; },
      [](FlowKey& k) { std::swap(k.src, k.dst); },
      [](FlowKey& k) { k.direction = Direction::kIngress; }};
  for (const auto& change : changes) {
    FlowKey other = key;
    change(other);
    hashes.insert(FlowKeyHash{}(other));
  }
  EXPECT_EQ(hashes.size(), 1 + changes.size());
  EXPECT_EQ(FlowKeyHash{}(key), FlowKeyHash{}(FlowKey(key)));
}

TEST(FlowKey, SpreadsNeighboursOverTheLowBits) {
  // What a table of 1024 cells sees of 1024 flows that differ in their ports only: about 647 cells
  // are taken when it is as good as random, and one in 2^60 tables falls below 550.
  std::set<std::size_t> cells;
  for (std::uint16_t port = 0; port < 1024; ++port) {
    cells.insert(FlowKeyHash{}({.src_port = port, .dst_port = 80}) % 1024);
  }
  EXPECT_GT(cells.size(), 550U);
}

TEST(ShownPod, IsTheOneThatTheFlowIsSeenFrom) {
  const FlowOwners owners{.src = owner(EndpointKind::kPod, "shop", "web-0"),
                          .dst = owner(EndpointKind::kPod, "data", "db-0")};
  EXPECT_EQ(shown(Direction::kEgress, owners), "shop/web-0");
  EXPECT_EQ(shown(Direction::kIngress, owners), "data/db-0");
}

TEST(ShownPod, IsThePeerWhereOnlyThatIsKnown) {
  const FlowOwners owners{.src = owner(EndpointKind::kNode, "", "node-1"),
                          .dst = owner(EndpointKind::kPod, "data", "db-0")};
  EXPECT_EQ(shown(Direction::kEgress, owners), "data/db-0");
}

TEST(ShownPod, IsExternalUnknownWithoutPods) {
  EXPECT_EQ(shown(Direction::kEgress, {}), "external/unknown");
  EXPECT_EQ(shown(Direction::kIngress, {.src = owner(EndpointKind::kService, "shop", "web")}),
            "external/unknown");
}

TEST(Event, NamesItsKindAndTheReasonOfAnEnd) {
  EXPECT_EQ(to_string(EventKind::kFlowStart), "start");
  EXPECT_EQ(to_string(EventKind::kFlowUpdate), "update");
  EXPECT_EQ(to_string(EventKind::kFlowEnd), "end");
  EXPECT_EQ(to_string(EventKind::kPacket), "packet");
  EXPECT_EQ(to_string(EndReason::kNone), "");
  EXPECT_EQ(to_string(EndReason::kClosed), "closed");
  EXPECT_EQ(to_string(EndReason::kIdle), "idle");
  EXPECT_EQ(to_string(EndReason::kEvicted), "evicted");
}

TEST(Status, IsHealthyWhileEveryComponentIs) {
  Status status;
  EXPECT_TRUE(status.healthy());
  status.components = {{.name = "grpc", .reason = ""}, {.name = "flow-table", .reason = ""}};
  EXPECT_TRUE(status.healthy());
  status.components[1] = {.name = "flow-table", .healthy = false, .reason = "full"};
  EXPECT_FALSE(status.healthy());
}

}  // namespace
}  // namespace orb8
