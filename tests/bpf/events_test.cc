// On-demand packet events: who gets them, and every byte of them.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include <cstring>

#include "core/kernel/network_probes.h"
#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

orb8_packet_filter everything() {
  return {};
}

orb8_packet_filter with_port(std::uint16_t port) {
  orb8_packet_filter filter = {};
  filter.port_sides = ORB8_SIDE_SRC | ORB8_SIDE_DST;
  filter.port_first = port;
  filter.port_last = port;
  return filter;
}

orb8_packet_filter with_prefix(const char* text) {
  const auto prefix = parse_prefix(text).value_or(Prefix{});
  orb8_packet_filter filter = {};
  std::uint8_t mask[16] = {};
  for (unsigned bit = 0; bit < prefix.length; ++bit) {
    mask[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
  }
  std::memcpy(filter.mask, mask, sizeof(mask));
  std::memcpy(filter.addr, prefix.addr.bytes.data(), sizeof(mask));
  filter.has_family = prefix.length >= 96 && prefix.addr.is_v4() ? 4 : 6;
  filter.addr_sides = ORB8_SIDE_SRC | ORB8_SIDE_DST;
  return filter;
}

Packet udp6() {
  return Packet().ethernet(0x86dd).ipv6({}).udp(4242, 53).payload(100);
}

class Events : public ProbeRun {
 protected:
  std::size_t events_of(const std::vector<orb8_packet_filter>& filters, const Packet& packet,
                        const RunOptions& options = {}) {
    set_filters(filters);
    run(packet, options);
    return drain(skeleton()->maps.orb8_packets).size();
  }
};

TEST_F(Events, AreNotMadeWhileNobodyListens) {
  EXPECT_EQ(events_of({}, udp4()), 0U);
  EXPECT_EQ(tallies().events_sent, 0U);
}

TEST_F(Events, HaveEachByteInItsPlace) {
  set_filters({everything()});
  run(Packet()
          .ethernet(0x0800)
          .ipv4({.src = "10.1.2.3", .dst = "192.168.4.5", .protocol = IPPROTO_TCP})
          .tcp(0x1234, 0x5678, 0x12)
          .payload(6));
  const auto records = drain(skeleton()->maps.orb8_packets);
  ASSERT_EQ(records.size(), 1U);
  const auto& event = records[0];
  ASSERT_EQ(event.size(), 32U + 16U);
  const auto bytes = [&](std::size_t at, std::size_t count) {
    return std::vector<std::uint8_t>(event.begin() + static_cast<std::ptrdiff_t>(at),
                                     event.begin() + static_cast<std::ptrdiff_t>(at + count));
  };
  using Bytes = std::vector<std::uint8_t>;
  EXPECT_EQ(bytes(0, 8), Bytes(8, 0)) << "cgroup_id: received, so no sender";
  EXPECT_NE(bytes(8, 8), Bytes(8, 0)) << "timestamp_ns";
  EXPECT_EQ(bytes(16, 4), (Bytes{3, 2, 1, 10})) << "src_ip, little-endian";
  EXPECT_EQ(bytes(20, 4), (Bytes{5, 4, 168, 192})) << "dst_ip";
  EXPECT_EQ(bytes(24, 2), (Bytes{0x34, 0x12})) << "src_port";
  EXPECT_EQ(bytes(26, 2), (Bytes{0x78, 0x56})) << "dst_port";
  EXPECT_EQ(event[28], IPPROTO_TCP) << "protocol";
  EXPECT_EQ(event[29], ORB8_INGRESS) << "direction";
  EXPECT_EQ(bytes(30, 2), (Bytes{60, 0})) << "packet_len";
  EXPECT_EQ(bytes(32, 4), (Bytes{60, 0, 0, 0})) << "bytes, behind the event";
  EXPECT_EQ(bytes(36, 4), (Bytes{kLoopback, 0, 0, 0})) << "ifindex";
  EXPECT_EQ(bytes(40, 2), (Bytes{1, 0})) << "packets";
  EXPECT_EQ(event[42], 0x12) << "TCP flags";
}

TEST_F(Events, HaveAnIpv6Sibling) {
  set_filters({everything()});
  run(udp6(), {.direction = Direction::kEgress});
  const auto records = drain(skeleton()->maps.orb8_packets);
  ASSERT_EQ(records.size(), 1U);
  ASSERT_EQ(records[0].size(), sizeof(orb8_packet_v6));
  orb8_packet_v6 packet = {};
  std::memcpy(&packet, records[0].data(), sizeof(packet));
  EXPECT_EQ(
      std::memcmp(packet.event.src_ip, parse_addr("fd00::1").value_or(Addr{}).bytes.data(), 16), 0);
  EXPECT_EQ(
      std::memcmp(packet.event.dst_ip, parse_addr("fd00::2").value_or(Addr{}).bytes.data(), 16), 0);
  EXPECT_EQ(packet.event.src_port, 4242);
  EXPECT_EQ(packet.event.dst_port, 53);
  EXPECT_EQ(packet.event.direction, ORB8_EGRESS);
  EXPECT_EQ(packet.event.packet_len, udp6().size());
}

TEST_F(Events, SayTheWholeLengthBesideTheSaturatedOne) {
  set_filters({everything()});
  RunOptions options;
  options.gso_size = 50;
  options.gso_segs = 2000;
  run(tcp4(0x10, 3000), options);
  orb8_packet_v4 packet = {};
  std::memcpy(&packet, drain(skeleton()->maps.orb8_packets).at(0).data(), sizeof(packet));
  const auto bytes = tcp4(0x10, 3000).size() + std::size_t{1999} * 54;
  EXPECT_EQ(packet.event.packet_len, 0xffff);
  EXPECT_EQ(packet.more.bytes, bytes);
  EXPECT_EQ(packet.more.packets, 2000);
}

TEST_F(Events, AreFilteredByPortOfEitherSide) {
  EXPECT_EQ(events_of({with_port(53)}, udp4()), 1U);
  EXPECT_EQ(events_of({with_port(4242)}, udp4()), 1U);
  EXPECT_EQ(events_of({with_port(54)}, udp4()), 0U);
}

TEST_F(Events, DoNotTakeAnIcmpTypeForAPort) {
  const auto echo = Packet().ethernet(0x0800).ipv4({.protocol = IPPROTO_ICMP}).icmp(8, 0);
  EXPECT_EQ(events_of({with_port(8)}, echo), 0U);
  EXPECT_EQ(events_of({everything()}, echo), 1U);
}

TEST_F(Events, AreFilteredByProtocolAndDirection) {
  orb8_packet_filter filter = {};
  filter.has_proto = 1;
  filter.proto = IPPROTO_UDP;
  EXPECT_EQ(events_of({filter}, udp4()), 1U);
  EXPECT_EQ(events_of({filter}, tcp4(2)), 0U);
  filter = {};
  filter.has_dir = 1;
  filter.dir = ORB8_EGRESS;
  EXPECT_EQ(events_of({filter}, udp6()), 0U);
  EXPECT_EQ(events_of({filter}, Packet().ethernet(0x86dd).ipv6({}).udp(1, 2),
                      {.direction = Direction::kEgress}),
            1U);
}

TEST_F(Events, AreFilteredByAddressAndPrefix) {
  EXPECT_EQ(events_of({with_prefix("10.0.0.2")}, udp4()), 1U);
  EXPECT_EQ(events_of({with_prefix("10.0.0.0/30")}, udp4()), 1U);
  EXPECT_EQ(events_of({with_prefix("10.0.1.0/24")}, udp4()), 0U);
  EXPECT_EQ(events_of({with_prefix("fd00::/16")}, udp6()), 1U);
  EXPECT_EQ(events_of({with_prefix("fd01::/16")}, udp6()), 0U);
}

TEST_F(Events, AreFilteredByARangeOfPorts) {
  auto range = with_port(50);
  range.port_last = 53;
  EXPECT_EQ(events_of({range}, udp4()), 1U);
  range.port_last = 52;
  EXPECT_EQ(events_of({range}, udp4()), 0U);
  range.port_first = 0;
  range.port_last = 65535;
  EXPECT_EQ(events_of({range}, udp4()), 1U);
}

// udp4() goes from 10.0.0.1, port 4242, to 10.0.0.2, port 53.
TEST_F(Events, AreFilteredByOneSideAlone) {
  auto port = with_port(53);
  port.port_sides = ORB8_SIDE_DST;
  EXPECT_EQ(events_of({port}, udp4()), 1U);
  port.port_sides = ORB8_SIDE_SRC;
  EXPECT_EQ(events_of({port}, udp4()), 0U);
  auto prefix = with_prefix("10.0.0.1");
  prefix.addr_sides = ORB8_SIDE_SRC;
  EXPECT_EQ(events_of({prefix}, udp4()), 1U);
  prefix.addr_sides = ORB8_SIDE_DST;
  EXPECT_EQ(events_of({prefix}, udp4()), 0U);
}

TEST_F(Events, AreFilteredByTheFamilyAlone) {
  orb8_packet_filter filter = {};
  filter.has_family = 4;
  EXPECT_EQ(events_of({filter}, udp4()), 1U);
  EXPECT_EQ(events_of({filter}, udp6()), 0U);
}

TEST_F(Events, KeepTheFamiliesApartInPrefixesOfLengthZero) {
  EXPECT_EQ(events_of({with_prefix("0.0.0.0/0")}, udp4()), 1U);
  EXPECT_EQ(events_of({with_prefix("0.0.0.0/0")}, udp6()), 0U);
  EXPECT_EQ(events_of({with_prefix("::/0")}, udp6()), 1U);
  EXPECT_EQ(events_of({with_prefix("::/0")}, udp4()), 0U);
}

TEST_F(Events, AreMadeOnceThoughSeveralFiltersMatch) {
  EXPECT_EQ(events_of({with_port(1), with_port(53), everything()}, udp4()), 1U);
  std::vector<orb8_packet_filter> full(ORB8_FILTER_MAX - 1, with_port(1));
  full.push_back(with_port(53));
  EXPECT_EQ(events_of(full, udp4()), 1U) << "the last slot counts";
}

TEST_F(Events, AreNotMadeAgainAtASecondHook) {
  set_filters({everything()});
  run(udp4());
  run(udp4(), {.direction = Direction::kEgress});
  EXPECT_EQ(drain(skeleton()->maps.orb8_packets).size(), 1U);
}

TEST_F(Events, CountThoseThatFindTheRingFull) {
  set_filters({everything()});
  constexpr unsigned kPackets = 30'000;  // of 56 bytes each in a ring of 1 MiB
  run(udp4(), {.repeat = kPackets});
  const auto counts = tallies();
  EXPECT_GT(counts.events_lost, 0U);
  EXPECT_EQ(counts.events_sent + counts.events_lost, kPackets);
  EXPECT_EQ(drain(skeleton()->maps.orb8_packets).size(), counts.events_sent);
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 4242, 53)).packets, kPackets) << "the flow misses none";
}

}  // namespace
}  // namespace orb8
