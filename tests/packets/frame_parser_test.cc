// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/frame_parser.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/packets/frame_maker.h"
#include "tests/packets/packet.h"

namespace orb8 {
namespace {

TEST(FrameParser, ReadsAPlainDatagram) {
  const auto parsed =
      FrameParser().parse(Packet().ethernet(0x0800).ipv4({}).udp(4242, 53).payload(4).bytes());
  EXPECT_EQ(parsed.verdict, FrameVerdict::kFlow);
  EXPECT_EQ(parsed.key.src, Addr::v4(10, 0, 0, 1));
  EXPECT_EQ(parsed.key.dst_port, 53);
  EXPECT_EQ(parsed.header_bytes, 14U + 20 + 8);
}

// A header that is whole at n bytes is whole at any length beyond: only the verdict kBroken may
// change, and only once.
TEST(FrameParser, FindsTheSameFlowOnceAllHeadersAreThere) {
  const auto whole = Packet()
                         .ethernet(0x8100)
                         .vlan(0x86dd)
                         .ipv6({.next = 0})
                         .ipv6_extension(51)
                         .ipv6_authentication(60)
                         .ipv6_extension(6, 2)
                         .tcp(1, 2, 0x12)
                         .payload(10)
                         .bytes();
  const auto all = FrameParser().parse(whole);
  ASSERT_EQ(all.verdict, FrameVerdict::kFlow);
  bool complete = false;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const auto parsed = FrameParser().parse(std::span(whole).first(length));
    ASSERT_TRUE(!complete || parsed.verdict == FrameVerdict::kFlow) << length;
    complete = parsed.verdict == FrameVerdict::kFlow;
    ASSERT_TRUE(!complete || parsed.key == all.key) << length;
  }
}

ParsedFrame parse(FrameParser& parser, const MadeFrame& made) {
  return made.bare_type == 0 ? parser.parse(made.packet.bytes())
                             : parser.parse_bare(made.bare_type, made.packet.bytes());
}

TEST(FrameParser, FindsWhatAFrameWasMadeOf) {
  std::mt19937 random(1);
  FrameMaker maker([&](std::uint32_t n) { return random() % n; });
  unsigned flows = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto made = maker.make();
    FrameParser parser;  // has seen no first fragment
    const auto parsed = parse(parser, made);
    const auto& expected = made.expected;
    ASSERT_EQ(parsed.verdict, expected.verdict) << i << ": " << hex(made.packet.bytes());
    if (parsed.verdict != FrameVerdict::kFlow) continue;
    ++flows;
    ASSERT_EQ(parsed.key, expected.key) << i << ": " << hex(made.packet.bytes());
    ASSERT_EQ(parsed.tcp_flags, expected.tcp_flags) << i << ": " << hex(made.packet.bytes());
    ASSERT_EQ(parsed.header_bytes, expected.header_bytes) << i << ": " << hex(made.packet.bytes());
    ASSERT_EQ(parsed.later_fragment, expected.later_fragment);
  }
  EXPECT_GT(flows, 15'000U);
}

TEST(FrameParser, JoinsAFragmentToTheLastFirstOneOfItsDatagram) {
  const auto fragment = [](std::uint16_t sport, std::uint16_t id, std::uint16_t offset) {
    return Packet()
        .ethernet(0x0800)
        .ipv4({.id = id, .more_fragments = true, .fragment_offset = offset})
        .udp(sport, 53)
        .bytes();
  };
  FrameParser parser;
  parser.parse(fragment(1000, 1, 0));
  parser.parse(fragment(2000, 2, 0));
  EXPECT_EQ(parser.parse(fragment(9, 1, 1)).key.src_port, 1000);
  EXPECT_EQ(parser.parse(fragment(9, 2, 1)).key.src_port, 2000);
  parser.parse(fragment(3000, 1, 0));
  EXPECT_EQ(parser.parse(fragment(9, 1, 1)).key.src_port, 3000);
  EXPECT_EQ(parser.parse(fragment(9, 3, 1)).key.src_port, 0);
  parser.forget_fragments();
  EXPECT_EQ(parser.parse(fragment(9, 1, 1)).key.src_port, 0);
}

// Written out by hand, so that neither the builder nor the parser can be wrong in the same way.
TEST(FrameParser, ReadsAFrameByteByByte) {
  const std::vector<std::uint8_t> frame = {
      0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x52, 0x54, 0x00, 0x65, 0x43, 0x21,  // MAC addresses
      0x08, 0x00,                                                              // IPv4
      0x46, 0x00, 0x00, 0x30, 0xbe, 0xef, 0x40, 0x00, 0x40, 0x06, 0x00, 0x00,  // 24 bytes, TCP
      0xc0, 0xa8, 0x01, 0x02, 0x08, 0x08, 0x04, 0x04, 0x94, 0x04, 0x00, 0x00,  // router alert
      0xd4, 0x31, 0x01, 0xbb, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02,  // 54321 -> 443
      0x60, 0x12, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4,  // SYN, ACK; MSS
  };
  const auto parsed = FrameParser().parse(frame);
  EXPECT_EQ(parsed.verdict, FrameVerdict::kFlow);
  EXPECT_EQ(to_string(parsed.key.src), "192.168.1.2");
  EXPECT_EQ(to_string(parsed.key.dst), "8.8.4.4");
  EXPECT_EQ(parsed.key.src_port, 54321);
  EXPECT_EQ(parsed.key.dst_port, 443);
  EXPECT_EQ(parsed.key.protocol, 6);
  EXPECT_EQ(parsed.tcp_flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(parsed.header_bytes, frame.size());
  EXPECT_FALSE(parsed.later_fragment);
}

}  // namespace
}  // namespace orb8
