// Which flow a packet belongs to.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

constexpr std::uint16_t kIp = 0x0800;
constexpr std::uint16_t kIp6 = 0x86dd;
constexpr std::uint16_t kVlan = 0x8100;
constexpr std::uint16_t kQinQ = 0x88a8;

class Parse : public ProbeRun {
 protected:
  // The packet makes exactly this flow, of one packet with all its bytes.
  void expect_flow(const Packet& packet, const FlowKey& key) {
    run(packet);
    ASSERT_TRUE(has_flow(key)) << hex(packet.bytes());
    const auto stats = flow(key);
    EXPECT_EQ(stats.packets, 1U);
    EXPECT_EQ(stats.bytes, packet.size());
    EXPECT_EQ(flow_count(), 1U);
    EXPECT_EQ(tally(ORB8_COUNTED).packets, 1U);
  }
  void expect_fate(const Packet& packet, orb8_fate fate) {
    run(packet);
    EXPECT_EQ(tally(fate).packets, 1U);
    EXPECT_EQ(tally(fate).bytes, packet.size());
    EXPECT_EQ(tallied(), 1U);
    EXPECT_EQ(flow_count(), 0U);
  }
};

TEST_F(Parse, FindsThePortsOfTcpUdpAndSctp) {
  expect_flow(udp4(), v4_flow(IPPROTO_UDP, 4242, 53));
  forget(v4_flow(IPPROTO_UDP, 4242, 53));
  run(tcp4(0x02));
  EXPECT_TRUE(has_flow(v4_flow(IPPROTO_TCP, 4242, 80)));
  run(Packet().ethernet(kIp6).ipv6({.next = IPPROTO_SCTP}).sctp(5000, 36412));
  EXPECT_TRUE(has_flow(v6_flow(IPPROTO_SCTP, 5000, 36412)));
  EXPECT_EQ(flow_count(), 2U);
}

TEST_F(Parse, TakesIcmpTypeAndCodeForPorts) {
  run(Packet().ethernet(kIp).ipv4({.protocol = IPPROTO_ICMP}).icmp(3, 4));
  EXPECT_TRUE(has_flow(v4_flow(IPPROTO_ICMP, 3, 4)));
  run(Packet().ethernet(kIp6).ipv6({.next = IPPROTO_ICMPV6}).icmp(128, 0));
  EXPECT_TRUE(has_flow(v6_flow(IPPROTO_ICMPV6, 128, 0)));
}

TEST_F(Parse, CountsAProtocolWithoutPorts) {
  expect_flow(Packet().ethernet(kIp).ipv4({.protocol = IPPROTO_GRE}).payload(40),
              v4_flow(IPPROTO_GRE));
}

TEST_F(Parse, FindsThePortsBehindIpOptions) {
  expect_flow(Packet().ethernet(kIp).ipv4({.option_bytes = 40}).udp(4242, 53),
              v4_flow(IPPROTO_UDP, 4242, 53));
}

TEST_F(Parse, LooksThroughOneVlanTag) {
  expect_flow(Packet().ethernet(kVlan).vlan(kIp).ipv4({}).udp(4242, 53),
              v4_flow(IPPROTO_UDP, 4242, 53));
}

TEST_F(Parse, LooksThroughStackedVlanTags) {
  expect_flow(Packet().ethernet(kQinQ).vlan(kVlan).vlan(kVlan).vlan(kIp6).ipv6({}).udp(4242, 53),
              v6_flow(IPPROTO_UDP, 4242, 53));
}

TEST_F(Parse, CountsWhatHasMoreVlanTagsThanItFollows) {
  expect_fate(
      Packet().ethernet(kQinQ).vlan(kVlan).vlan(kVlan).vlan(kVlan).vlan(kIp).ipv4({}).udp(4242, 53),
      ORB8_UNPARSED);
}

TEST_F(Parse, WalksIpv6ExtensionHeaders) {
  expect_flow(Packet()
                  .ethernet(kIp6)
                  .ipv6({.next = 0})
                  .ipv6_extension(60)
                  .ipv6_extension(43, 2)
                  .ipv6_extension(51, 1)
                  .ipv6_authentication(6)
                  .tcp(4242, 443, 0x10),
              v6_flow(IPPROTO_TCP, 4242, 443));
}

TEST_F(Parse, CountsWhatHasMoreExtensionHeadersThanItFollows) {
  auto packet = Packet().ethernet(kIp6).ipv6({.next = 60});
  for (int i = 0; i < 8; ++i) packet.ipv6_extension(60);
  expect_fate(packet, ORB8_UNPARSED);
}

TEST_F(Parse, CountsATruncatedPacketAtEachLengthAndLetsItPass) {
  // Tagged, as a test run itself refuses an untagged packet without a whole IP header.
  const auto whole =
      Packet().ethernet(kVlan).vlan(kIp).ipv4({.protocol = IPPROTO_TCP}).tcp(1, 2, 0x02);
  constexpr std::size_t kFlagsSeen = 14 + 4 + 20 + 14;
  for (std::size_t length = 15; length < kFlagsSeen; ++length) {
    run(Packet(whole).cut(length));
    EXPECT_EQ(tally(ORB8_TRUNCATED).packets, length - 14) << length;
  }
  EXPECT_EQ(flow_count(), 0U);
  run(Packet(whole).cut(kFlagsSeen));
  EXPECT_EQ(flow_count(), 1U);
}

TEST_F(Parse, RefusesImpossibleHeaders) {
  auto short_header = udp4();
  short_header.bytes()[14] = 0x44;  // 16 bytes
  auto wrong_version = udp4();
  wrong_version.bytes()[14] = 0x65;
  run(short_header);
  run(wrong_version);
  EXPECT_EQ(tally(ORB8_TRUNCATED).packets, 2U);
}

// They would be taken for the IPv4 flow of the same ports, and be added to it again and again.
TEST_F(Parse, RefusesIpv6HeadersWithIpv4MappedAddresses) {
  run(Packet().ethernet(kIp6).ipv6({.src = "::ffff:10.0.0.1", .dst = "fd00::2"}).udp(4242, 53));
  run(Packet().ethernet(kIp6).ipv6({.src = "fd00::1", .dst = "::ffff:10.0.0.2"}).udp(4242, 53));
  EXPECT_EQ(tally(ORB8_TRUNCATED).packets, 2U);
  for (const auto* src : {"::1", "::fffe:10.0.0.1", "::1:ffff:10.0.0.1", "::10.0.0.1"}) {
    run(Packet().ethernet(kIp6).ipv6({.src = src, .dst = "fd00::2"}).udp(4242, 53));
  }
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 4U);
}

TEST_F(Parse, ReadsPacketsThatBeginWithIp) {
  const RunOptions bare = {.layer = LinkLayer::kNone};
  run(Packet().ipv4({.src = "8.0.0.1"}).udp(4242, 53).payload(20), bare);
  auto key = v4_flow(IPPROTO_UDP, 4242, 53);
  key.src = Addr::v4(8, 0, 0, 1);
  EXPECT_EQ(flow(key).bytes, 20U + 8 + 20) << "there is no link layer header to count";

  run(Packet().ipv6({.src = "fd00:0:86dd::1", .next = IPPROTO_TCP}).tcp(4242, 80, 0x02), bare);
  key = v6_flow(IPPROTO_TCP, 4242, 80);
  key.src = parse_addr("fd00:0:86dd::1").value_or(Addr{});
  EXPECT_EQ(flow(key).bytes, 40U + 20);
  EXPECT_EQ(flow_count(), 2U);

  run(Packet().ipv4({.src = "8.6.0.1"}).udp(4242, 53), bare);
  EXPECT_EQ(tally(ORB8_NOT_IP).packets, 1U) << "EtherType 0x0806";
}

TEST_F(Parse, CountsWhatIsNotIp) {
  std::uint64_t count = 0;
  // ARP, two lengths of IEEE 802.3 frames, MPLS, a reserved number.
  for (const std::uint16_t type : {0x0806, 0x0000, 0x0100, 0x8847, 0xffff}) {
    run(Packet().ethernet(type).payload(46));
    run(Packet().ethernet(kVlan).vlan(type).payload(46));
    count += 2;
  }
  run(Packet().ethernet(0x0806).arp());
  EXPECT_EQ(tally(ORB8_NOT_IP).packets, count + 1);
  EXPECT_EQ(tallied(), count + 1);
  EXPECT_EQ(flow_count(), 0U);
}

}  // namespace
}  // namespace orb8
