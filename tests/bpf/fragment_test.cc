// Fragments: the first one has the ports, and each of them is counted, come what may.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

constexpr std::uint16_t kIp = 0x0800;
constexpr std::uint16_t kIp6 = 0x86dd;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kDestination = 60;

class Fragments : public ProbeRun {};

Packet first_v4(std::uint16_t id, std::uint16_t sport = 4242) {
  return Packet().ethernet(kIp).ipv4({.id = id, .more_fragments = true}).udp(sport, 53).payload(8);
}

Packet later_v4(std::uint16_t id, bool more = false) {
  return Packet()
      .ethernet(kIp)
      .ipv4({.id = id, .more_fragments = more, .fragment_offset = 2})
      .payload(16);
}

Packet first_v6(std::uint32_t id, std::uint16_t sport = 4242) {
  return Packet()
      .ethernet(kIp6)
      .ipv6({.next = kFragment})
      .ipv6_fragment(IPPROTO_UDP, 0, true, id)
      .udp(sport, 53)
      .payload(8);
}

Packet later_v6(std::uint32_t id, std::uint8_t next = IPPROTO_UDP) {
  return Packet()
      .ethernet(kIp6)
      .ipv6({.next = kFragment})
      .ipv6_fragment(next, 2, false, id)
      .payload(16);
}

TEST_F(Fragments, JoinTheFlowOfTheFirst) {
  const auto fragments = {first_v4(77), later_v4(77, true), later_v4(77)};
  std::size_t bytes = 0;
  for (const auto& fragment : fragments) {
    run(fragment);
    bytes += fragment.size();
  }
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 4242, 53)).packets, 3U);
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 4242, 53)).bytes, bytes);
  EXPECT_EQ(flow_count(), 1U);
}

TEST_F(Fragments, JoinTheFlowOfTheFirstInIpv6) {
  run(first_v6(9));
  run(later_v6(9));
  EXPECT_EQ(flow(v6_flow(IPPROTO_UDP, 4242, 53)).packets, 2U);
  run(later_v6(10));
  EXPECT_EQ(flow(v6_flow(IPPROTO_UDP)).packets, 1U);
}

TEST_F(Fragments, JoinTheFlowOfAnIcmpTypeAndCode) {
  run(Packet()
          .ethernet(kIp)
          .ipv4({.protocol = IPPROTO_ICMP, .id = 5, .more_fragments = true})
          .icmp(8, 0)
          .payload(8));
  run(Packet()
          .ethernet(kIp)
          .ipv4({.protocol = IPPROTO_ICMP, .id = 5, .fragment_offset = 2})
          .payload(100));
  EXPECT_EQ(flow(v4_flow(IPPROTO_ICMP, 8, 0)).packets, 2U);
}

// Bytes that would be ports, were this not the middle of a datagram.
TEST_F(Fragments, AreCountedWithoutPortsWhenTheFirstWasNotSeen) {
  run(Packet().ethernet(kIp).ipv4({.id = 78, .fragment_offset = 100}).udp(4242, 53));
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP)).packets, 1U);
  EXPECT_EQ(flow_count(), 1U);
}

TEST_F(Fragments, AreCountedWithoutPortsUntilTheFirstComes) {
  run(later_v4(79, true));
  run(first_v4(79));
  run(later_v4(79));
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP)).packets, 1U);
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 4242, 53)).packets, 2U);
}

TEST_F(Fragments, OfTwoDatagramsAreToldApart) {
  run(first_v4(1, 1000));
  run(first_v4(2, 2000));
  run(later_v4(2));
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 1000, 53)).packets, 1U);
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 2000, 53)).packets, 2U);
}

// RFC 791, 3.2: the protocol is part of what identifies a datagram.
TEST_F(Fragments, OfTwoProtocolsAreToldApart) {
  run(first_v4(3));
  run(Packet().ethernet(kIp).ipv4({.protocol = IPPROTO_TCP, .id = 3, .fragment_offset = 2}));
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP)).packets, 1U);
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 4242, 53)).packets, 1U);
}

// RFC 8200, 4.5: extension headers may follow the fragment header. Only the first fragment has
// them, so only it knows the protocol; the others repeat the first of these headers' types.
TEST_F(Fragments, JoinTheFlowOfAFirstWithMoreExtensionHeaders) {
  run(Packet()
          .ethernet(kIp6)
          .ipv6({.next = kFragment})
          .ipv6_fragment(kDestination, 0, true, 11)
          .ipv6_extension(IPPROTO_UDP)
          .udp(4242, 53));
  run(later_v6(11, kDestination));
  EXPECT_EQ(flow(v6_flow(IPPROTO_UDP, 4242, 53)).packets, 2U);
  EXPECT_EQ(flow_count(), 1U);
}

// RFC 6946: a packet with a fragment header that is whole has nothing to do with fragments, though
// they may have its identification.
TEST_F(Fragments, DoNotJoinAPacketThatIsWhole) {
  run(first_v6(12, 1000));
  run(Packet()
          .ethernet(kIp6)
          .ipv6({.next = kFragment})
          .ipv6_fragment(IPPROTO_UDP, 0, false, 12)
          .udp(2000, 53));
  run(later_v6(12));
  EXPECT_EQ(flow(v6_flow(IPPROTO_UDP, 1000, 53)).packets, 2U);
  EXPECT_EQ(flow(v6_flow(IPPROTO_UDP, 2000, 53)).packets, 1U);
}

TEST_F(Fragments, AreTruncatedWhenTheFirstIsTooShortForItsHeader) {
  run(Packet()
          .ethernet(kIp)
          .ipv4({.protocol = IPPROTO_TCP, .id = 4, .more_fragments = true})
          .tcp(4242, 80, 0x02)
          .cut(14 + 20 + 8));
  EXPECT_EQ(tally(ORB8_TRUNCATED).packets, 1U);
  run(Packet().ethernet(kIp).ipv4({.protocol = IPPROTO_TCP, .id = 4, .fragment_offset = 1}));
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP)).packets, 1U) << "the others have no ports to join";
}

// More datagrams than the probes remember cost ports, not packets.
TEST_F(Fragments, AreAllCountedWhenTheFirstWasForgotten) {
  constexpr std::uint16_t kDatagrams = 10'000;
  for (std::uint16_t id = 1; id <= kDatagrams; ++id) run(first_v4(id));
  for (std::uint16_t id = 1; id <= kDatagrams; ++id) run(later_v4(id));
  const auto with_ports = flow(v4_flow(IPPROTO_UDP, 4242, 53)).packets;
  EXPECT_GT(with_ports, kDatagrams);
  EXPECT_LT(with_ports, 2U * kDatagrams);
  EXPECT_EQ(with_ports + flow(v4_flow(IPPROTO_UDP)).packets, 2U * kDatagrams);
}

}  // namespace
}  // namespace orb8
