// How much a packet counts, where, and what happens when there is no room.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

constexpr std::size_t kTcpHeaders = 14 + 20 + 20;

class Count : public ProbeRun {};

TEST_F(Count, AddsUpPacketsAndBytesOfOneFlow) {
  run(udp4(10));
  run(udp4(1000));
  const auto stats = flow(v4_flow(IPPROTO_UDP, 4242, 53));
  EXPECT_EQ(stats.packets, 2U);
  EXPECT_EQ(stats.bytes, udp4(10).size() + udp4(1000).size());
  EXPECT_EQ(stats.anchor, ORB8_HOOK(kLoopback, ORB8_INGRESS));
  EXPECT_EQ(stats.dir, ORB8_INGRESS);
}

TEST_F(Count, KeepsEveryTcpFlagOfOnePacket) {
  run(tcp4(0xff));
  const auto stats = flow(v4_flow(IPPROTO_TCP, 4242, 80));
  EXPECT_EQ(stats.tcp_flags, 0xff);
  for (const auto seen : stats.flag_seen) EXPECT_EQ(seen, 1);
}

TEST_F(Count, CollectsTcpFlagsOverPackets) {
  for (unsigned bit = 0; bit < 8; ++bit) {
    run(tcp4(static_cast<std::uint8_t>(1U << bit)));
    EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).tcp_flags, (2U << bit) - 1);
  }
}

TEST_F(Count, CountsAGsoPacketBySegmentsAndWireBytes) {
  RunOptions options;
  options.gso_size = 500;
  options.gso_segs = 5;
  run(tcp4(0x10, 2300), options);
  const auto stats = flow(v4_flow(IPPROTO_TCP, 4242, 80));
  EXPECT_EQ(stats.packets, 5U);
  EXPECT_EQ(stats.bytes, 2300 + 5 * kTcpHeaders);
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 5U);
  EXPECT_EQ(tally(ORB8_COUNTED).bytes, 2300 + 5 * kTcpHeaders);
}

TEST_F(Count, WorksOutSegmentsThatNobodyCounted) {
  RunOptions options;
  options.gso_size = 500;
  run(tcp4(0x10, 2001), options);
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).packets, 5U);
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).bytes, 2001 + 5 * kTcpHeaders);
}

TEST_F(Count, BelievesTheStackAboutATunnelsInnerHeadersOnEgress) {
  RunOptions options;
  options.direction = Direction::kEgress;
  options.gso_size = 1000;
  options.gso_segs = 3;
  options.wire_len = 3500;
  run(tcp4(0x10, 3000 - kTcpHeaders), options);
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).bytes, 3500U);
}

TEST_F(Count, CountsAPacketThatCrossesTwoHooksOnce) {
  RunOptions in;
  RunOptions out;
  out.direction = Direction::kEgress;
  for (int i = 0; i < 10; ++i) {
    run(udp4(), in);
    run(udp4(), out);
  }
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 4242, 53)).packets, 10U);
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 10U);
  EXPECT_EQ(tally(ORB8_DUPLICATE).packets, 10U);
  EXPECT_EQ(tally(ORB8_DUPLICATE).bytes, 10 * udp4().size());
}

TEST_F(Count, LetsAnotherHookTakeOverWhenTheAnchorIsGone) {
  RunOptions out;
  out.direction = Direction::kEgress;
  run(udp4());
  set_live(kLoopback, Direction::kIngress, false);
  run(udp4(), out);
  const auto stats = flow(v4_flow(IPPROTO_UDP, 4242, 53));
  EXPECT_EQ(stats.packets, 2U);
  EXPECT_EQ(stats.anchor, ORB8_HOOK(kLoopback, ORB8_EGRESS));
  EXPECT_EQ(stats.dir, ORB8_INGRESS) << "a flow keeps the direction in which it was first seen";
}

TEST_F(Count, LetsAnotherHookTakeOverWhenTheAnchorIsSilent) {
  load([](network_bpf& skeleton) { skeleton.rodata->constants.takeover_jiffies = 0; });
  RunOptions out;
  out.direction = Direction::kEgress;
  run(udp4());
  run(udp4(), out);
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 2U);
  EXPECT_EQ(tally(ORB8_DUPLICATE).packets, 0U);
}

Packet udp_from(std::uint16_t port, std::size_t payload = 10) {
  return Packet().ethernet(0x0800).ipv4({}).udp(port, 53).payload(payload);
}

TEST_F(Count, SpillsAFlowThatFindsTheMapFull) {
  load([](network_bpf& skeleton) { bpf_map__set_max_entries(skeleton.maps.orb8_flows_v4, 4); });
  for (std::uint16_t port = 1; port <= 6; ++port) run(udp_from(port));
  EXPECT_EQ(flow_count(), 4U);
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 4U);
  EXPECT_EQ(tally(ORB8_SPILLED).packets, 2U);
  EXPECT_EQ(tally(ORB8_SPILLED).bytes, 2 * udp_from(1).size());

  const auto records = drain(skeleton()->maps.orb8_spill);
  ASSERT_EQ(records.size(), 2U);
  ASSERT_EQ(records[0].size(), sizeof(orb8_spilled));
  orb8_spilled spilled = {};
  std::memcpy(&spilled, records[0].data(), sizeof(spilled));
  EXPECT_EQ(spilled.packets, 1U);
  EXPECT_EQ(spilled.bytes, udp_from(1).size());
  EXPECT_EQ(spilled.key.sport_be, htons(5));
  EXPECT_EQ(spilled.key.saddr[10], 0xff) << "IPv4 is v4-mapped here";
  EXPECT_EQ(spilled.hook, ORB8_HOOK(kLoopback, ORB8_INGRESS));
  EXPECT_GT(spilled.timestamp_ns, 0U);
}

TEST_F(Count, GoesOnCountingKnownFlowsWhenTheMapIsFull) {
  load([](network_bpf& skeleton) { bpf_map__set_max_entries(skeleton.maps.orb8_flows_v4, 4); });
  for (std::uint16_t port = 1; port <= 6; ++port) run(udp_from(port));
  run(udp_from(1));
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 1, 53)).packets, 2U);
}

TEST_F(Count, CountsPacketsAndBytesThatAreLostWhenTheSpillRingIsFullToo) {
  load([](network_bpf& skeleton) {
    bpf_map__set_max_entries(skeleton.maps.orb8_flows_v6, 1);
    bpf_map__set_max_entries(skeleton.maps.orb8_spill, 4096);
  });
  constexpr std::uint16_t kFlows = 200;
  const auto packet = [](std::uint16_t port) {
    return Packet().ethernet(0x86dd).ipv6({}).udp(port, 53).payload(10);
  };
  for (std::uint16_t port = 1; port <= kFlows; ++port) run(packet(port));
  const auto spilled = tally(ORB8_SPILLED);
  const auto lost = tally(ORB8_LOST);
  EXPECT_EQ(drain(skeleton()->maps.orb8_spill).size(), spilled.packets);
  EXPECT_GT(lost.packets, 0U);
  EXPECT_EQ(flow_count() + spilled.packets + lost.packets, kFlows);
  EXPECT_EQ(lost.bytes, lost.packets * packet(1).size());
}

class OwnTraffic : public ProbeRun {
 protected:
  void own(const char* address, std::uint16_t port) {
    const auto addr = parse_addr(address).value_or(Addr{});
    const std::uint8_t one = 1;
    ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(skeleton()->maps.orb8_own_addrs), addr.bytes.data(),
                                  &one, BPF_ANY),
              0);
    skeleton()->bss->control.own_port_be = htons(port);
  }
};

TEST_F(OwnTraffic, IsLeftOutBothWays) {
  own("10.0.0.2", 80);
  run(tcp4(0x02));
  run(Packet()
          .ethernet(0x0800)
          .ipv4({.src = "10.0.0.2", .dst = "10.0.0.1", .protocol = IPPROTO_TCP})
          .tcp(80, 4242, 0x12));
  EXPECT_EQ(tally(ORB8_OWN).packets, 2U);
  EXPECT_EQ(flow_count(), 0U);
}

TEST_F(OwnTraffic, IsNotTheSamePortOfAnotherMachine) {
  own("10.0.0.1", 80);  // the client's address: its port is another one
  run(tcp4(0x02));
  EXPECT_EQ(tally(ORB8_OWN).packets, 0U);
  EXPECT_EQ(flow_count(), 1U);
}

TEST_F(OwnTraffic, IsNotUdp) {
  own("10.0.0.2", 53);
  run(udp4());
  EXPECT_EQ(flow_count(), 1U);
}

}  // namespace
}  // namespace orb8
