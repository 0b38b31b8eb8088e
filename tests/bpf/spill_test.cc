// A flow that finds its map full: sent to user space, or counted as lost, never silent.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

void set_number(orb8_v4_key& key, std::uint32_t number) {
  key.daddr_be = number;
}

void set_number(orb8_v6_key& key, std::uint32_t number) {
  std::memcpy(key.daddr, &number, sizeof(number));
}

// Fills up a flow map, with flows that are none of the tests'.
template <class Key>
void fill(const bpf_map* map, std::uint32_t taken) {
  auto count = bpf_map__max_entries(map) - taken;
  std::vector<Key> keys(count);
  const std::vector<orb8_flow_stats> values(count);
  for (std::uint32_t i = 0; i < count; ++i) set_number(keys[i], i);
  ASSERT_EQ(bpf_map_update_batch(bpf_map__fd(map), keys.data(), values.data(), &count, nullptr), 0);
}

class Spill : public ProbeRun {
 protected:
  void fill_v4(std::uint32_t taken = 0) const {
    fill<orb8_v4_key>(skeleton()->maps.orb8_flows_v4, taken);
  }
  void fill_v6(std::uint32_t taken = 0) const {
    fill<orb8_v6_key>(skeleton()->maps.orb8_flows_v6, taken);
  }

  std::vector<orb8_spilled> spilled() const {
    std::vector<orb8_spilled> all;
    for (const auto& bytes : drain(skeleton()->maps.orb8_spill)) {
      EXPECT_EQ(bytes.size(), sizeof(orb8_spilled));
      std::memcpy(&all.emplace_back(), bytes.data(), sizeof(orb8_spilled));
    }
    return all;
  }
};

Packet udp4_from(std::uint16_t port) {
  return Packet().ethernet(0x0800).ipv4({}).udp(port, 53).payload(10);
}

Packet tcp6_from(std::uint16_t port) {
  return Packet().ethernet(0x86dd).ipv6({.next = IPPROTO_TCP}).tcp(port, 80, 0x12).payload(10);
}

TEST_F(Spill, TakesTheLastFlowThatFitsIntoTheMap) {
  fill_v4(1);
  run(udp4_from(1));
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 1U);
  run(udp4_from(2));
  EXPECT_EQ(tally(ORB8_SPILLED).packets, 1U);
}

TEST_F(Spill, SaysAllOfAnIpv4Packet) {
  fill_v4();
  run(udp4_from(4242));
  EXPECT_EQ(tally(ORB8_SPILLED).packets, 1U);
  EXPECT_EQ(tally(ORB8_SPILLED).bytes, udp4_from(1).size());
  EXPECT_EQ(tallied(), 1U);

  const auto records = spilled();
  ASSERT_EQ(records.size(), 1U);
  const auto& record = records[0];
  EXPECT_TRUE(std::ranges::equal(record.key.saddr, Addr::v4(10, 0, 0, 1).bytes)) << "v4-mapped";
  EXPECT_TRUE(std::ranges::equal(record.key.daddr, Addr::v4(10, 0, 0, 2).bytes));
  EXPECT_EQ(record.key.sport_be, htons(4242));
  EXPECT_EQ(record.key.dport_be, htons(53));
  EXPECT_EQ(record.key.proto, IPPROTO_UDP);
  EXPECT_EQ(record.packets, 1U);
  EXPECT_EQ(record.bytes, udp4_from(1).size());
  EXPECT_EQ(record.hook, ORB8_HOOK(kLoopback, ORB8_INGRESS));
  EXPECT_EQ(record.cgroup_id, 0U) << "received: there is no sender";
  EXPECT_EQ(record.tcp_flags, 0);
  EXPECT_GT(record.timestamp_ns, 0U);
}

TEST_F(Spill, SaysAllOfAnIpv6GsoPacket) {
  fill_v6();
  run(tcp6_from(4242), {.direction = Direction::kEgress, .gso_size = 5, .gso_segs = 2});
  const auto records = spilled();
  ASSERT_EQ(records.size(), 1U);
  const auto& record = records[0];
  EXPECT_EQ(record.key.saddr[0], 0xfd);
  EXPECT_EQ(record.key.daddr[15], 2);
  EXPECT_EQ(record.key.sport_be, htons(4242));
  EXPECT_EQ(record.key.dport_be, htons(80));
  EXPECT_EQ(record.key.proto, IPPROTO_TCP);
  EXPECT_EQ(record.packets, 2U);
  EXPECT_EQ(record.bytes, tcp6_from(1).size() + 14 + 40 + 20);
  EXPECT_EQ(record.hook, ORB8_HOOK(kLoopback, ORB8_EGRESS));
  EXPECT_EQ(record.tcp_flags, 0x12);
  EXPECT_EQ(tally(ORB8_SPILLED).packets, 2U);
  EXPECT_EQ(tally(ORB8_SPILLED).bytes, record.bytes);
}

TEST_F(Spill, LeavesKnownFlowsInTheMap) {
  run(udp4_from(1));
  fill_v4(1);
  run(udp4_from(2));
  run(udp4_from(1));
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 1, 53)).packets, 2U);
  EXPECT_EQ(spilled().size(), 1U);
}

TEST_F(Spill, LeavesTheOtherFamilysMapAlone) {
  fill_v4();
  run(tcp6_from(1));
  EXPECT_TRUE(has_flow(v6_flow(IPPROTO_TCP, 1, 80)));
  EXPECT_TRUE(spilled().empty());
}

TEST_F(Spill, StillMakesPacketEvents) {
  fill_v4();
  set_filters({orb8_packet_filter{}});
  run(udp4_from(1));
  EXPECT_EQ(drain(skeleton()->maps.orb8_packets).size(), 1U);
}

TEST_F(Spill, CountsPacketsAndBytesThatAreLostWhenItsRingIsFullToo) {
  fill_v6();
  constexpr std::uint16_t kPackets = 4000;  // of 88 bytes each in a ring of 256 KiB
  for (std::uint16_t port = 1; port <= kPackets; ++port) run(tcp6_from(port));
  const auto sent = tally(ORB8_SPILLED);
  const auto lost = tally(ORB8_LOST);
  EXPECT_GT(sent.packets, 0U);
  EXPECT_GT(lost.packets, 0U);
  EXPECT_EQ(sent.packets + lost.packets, kPackets);
  EXPECT_EQ(lost.bytes, lost.packets * tcp6_from(1).size());

  // The oldest are there, in order, and there is room again.
  const auto records = spilled();
  ASSERT_EQ(records.size(), sent.packets);
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(ntohs(records[i].key.sport_be), i + 1);
  }
  run(tcp6_from(1));
  EXPECT_EQ(spilled().size(), 1U);
}

}  // namespace
}  // namespace orb8
