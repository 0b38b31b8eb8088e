// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_collapse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <memory>

#include "core/flow/flow_pick.h"

namespace orb8 {
namespace {

using ::testing::SizeIs;

const Addr kClient = Addr::v4(10, 0, 0, 1);
const Addr kServer = Addr::v4(10, 0, 0, 2);

// Of the client's socket: what it sends from `port` to the server's port 80, or gets from there.
FlowRecord client(std::uint16_t port, Direction direction, std::uint64_t packets) {
  const bool sent = direction == Direction::kEgress;
  FlowRecord record;
  record.key = {.src = sent ? kClient : kServer,
                .dst = sent ? kServer : kClient,
                .src_port = sent ? port : std::uint16_t{80},
                .dst_port = sent ? std::uint16_t{80} : port,
                .protocol = IPPROTO_TCP,
                .direction = direction,
                .socket = port};
  record.life = FlowLife::kOpen;
  record.packets = packets;
  record.bytes = 100 * packets;
  record.payload_bytes = 10 * packets;
  record.incarnation = 1;
  record.first_seen_ns = port;
  record.last_seen_ns = 10L * port;
  record.pid = 7;
  record.comm = {"curl"};
  record.socket = {.rtt_us = port, .min_rtt_us = port, .retransmits = 1, .state = 1};
  record.socket.role = Role::kClient;
  return record;
}

std::shared_ptr<const FlowSnapshot> snapshot_of(const std::vector<FlowRecord>& records) {
  FlowTable table({.max_flows = 1000});
  std::map<std::uint32_t, OwnerRef> owners;
  for (const auto& one : records) {
    table.apply(one, [&](const FlowRecord& fresh) {
      auto& owner = owners[fresh.pid];
      if (!owner)
        owner = std::make_shared<Owner>(Owner{.pid = fresh.pid, .comm = fresh.comm.data()});
      return FlowOwners{.src = {}, .dst = {}, .local = owner};
    });
  }
  return table.share();
}

TEST(FlowCollapse, SumsAClientsConnectionsToOnePort) {
  const auto flows = collapse_client_ports(
      *snapshot_of({client(5001, Direction::kEgress, 3), client(5002, Direction::kEgress, 4)}), {});
  ASSERT_THAT(flows, SizeIs(1));
  const auto& sum = flows.front();
  EXPECT_EQ(sum.key.src_port, 0U);
  EXPECT_EQ(sum.key.dst_port, 80U);
  EXPECT_EQ(sum.key.socket, 0U);
  EXPECT_EQ(sum.packets, 7U);
  EXPECT_EQ(sum.bytes, 700U);
  EXPECT_EQ(sum.payload_bytes, 70U);
  EXPECT_EQ(sum.first_seen_ns, 5001);
  EXPECT_EQ(sum.last_seen_ns, 50'020);
  EXPECT_EQ(sum.socket.rtt_us, 5002U);
  EXPECT_EQ(sum.socket.min_rtt_us, 5001U);
  EXPECT_EQ(sum.socket.retransmits, 2U);
}

TEST(FlowCollapse, KnowsTheServersSideToo) {
  auto one = client(5001, Direction::kEgress, 3);
  auto two = client(5002, Direction::kEgress, 4);
  for (auto* record : {&one, &two}) {  // seen from the server: it gets what the client sends
    record->key.direction = Direction::kIngress;
    record->socket.role = Role::kServer;
  }
  const auto flows = collapse_client_ports(*snapshot_of({one, two}), {});
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows.front().key.src_port, 0U);
  EXPECT_EQ(flows.front().key.dst_port, 80U);
}

TEST(FlowCollapse, KeepsDirectionsProcessesAndUnknownRolesApart) {
  auto other_process = client(5003, Direction::kEgress, 1);
  other_process.pid = 8;
  other_process.comm = {"wget"};
  auto unknown = client(5004, Direction::kEgress, 1);
  unknown.socket.role = Role::kUnknown;
  const auto flows = collapse_client_ports(
      *snapshot_of({client(5001, Direction::kEgress, 3), client(5002, Direction::kIngress, 4),
                    other_process, unknown}),
      {});
  EXPECT_THAT(flows, SizeIs(4));
}

TEST(FlowCollapse, TakesAClientThatIsStartedForEachConnectionForOne) {
  auto next = client(5002, Direction::kEgress, 4);
  next.pid = 8;
  auto another = client(5003, Direction::kEgress, 5);
  another.pid = 9;
  const auto flows =
      collapse_client_ports(*snapshot_of({client(5001, Direction::kEgress, 3), next, another}), {});
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows.front().packets, 12U);
  EXPECT_EQ(flows.front().owners->local->pid, 0U);
  EXPECT_EQ(flows.front().owners->local->comm, "curl");
}

TEST(FlowCollapse, IsWhatAQueryPicksFrom) {
  const auto snapshot =
      snapshot_of({client(5001, Direction::kEgress, 3), client(5002, Direction::kEgress, 4),
                   client(5003, Direction::kIngress, 5)});
  const auto pick = pick_collapsed(*snapshot, {}, FlowSort::kPackets, 1);
  EXPECT_EQ(pick.matched, 2U);
  ASSERT_THAT(pick.flows, SizeIs(1));
  EXPECT_EQ(pick.flows.front().packets, 7U);
}

}  // namespace
}  // namespace orb8
