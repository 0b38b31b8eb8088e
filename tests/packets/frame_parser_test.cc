// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/frame_parser.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace orb8
