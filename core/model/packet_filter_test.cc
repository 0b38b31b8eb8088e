// SPDX-License-Identifier: Apache-2.0
#include "core/model/packet_filter.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace orb8 {
namespace {

FlowKey web_request() {
  return {.src = Addr::v4(10, 0, 0, 1),
          .dst = Addr::v4(192, 168, 0, 1),
          .src_port = 40000,
          .dst_port = 80,
          .protocol = IPPROTO_TCP,
          .direction = Direction::kEgress};
}

FlowKey ping() {
  return {.src = parse_addr("fd00::1").value_or(Addr{}),
          .dst = parse_addr("fd00::2").value_or(Addr{}),
          .src_port = 128,  // echo request
          .protocol = IPPROTO_ICMPV6};
}

PacketFilter within(std::string_view prefix) {
  return {.prefix = parse_prefix(prefix)};
}

TEST(PacketFilter, MatchesEverythingWhenEmpty) {
  EXPECT_TRUE(PacketFilter{}.matches(web_request()));
  EXPECT_TRUE(PacketFilter{}.matches(ping()));
  EXPECT_TRUE(PacketFilter{}.matches({}));
}

TEST(PacketFilter, FindsAnAddressOnEitherSide) {
  EXPECT_TRUE(within("10.0.0.0/8").matches(web_request()));
  EXPECT_TRUE(within("192.168.0.1").matches(web_request()));
  EXPECT_FALSE(within("172.16.0.0/12").matches(web_request()));
}

TEST(PacketFilter, TakesTheEmptyPrefixForItsFamilyOnly) {
  EXPECT_TRUE(within("0.0.0.0/0").matches(web_request()));
  EXPECT_FALSE(within("0.0.0.0/0").matches(ping()));
  EXPECT_TRUE(within("::/0").matches(ping()));
  EXPECT_FALSE(within("::/0").matches(web_request()));
}

TEST(PacketFilter, FindsAPortOnEitherSide) {
  EXPECT_TRUE((PacketFilter{.ports = PortRange{40000, 40000}}).matches(web_request()));
  EXPECT_TRUE((PacketFilter{.ports = PortRange{80, 80}}).matches(web_request()));
  EXPECT_FALSE((PacketFilter{.ports = PortRange{443, 443}}).matches(web_request()));
}

TEST(PacketFilter, FindsAPortWithinARange) {
  EXPECT_TRUE((PacketFilter{.ports = PortRange{80, 90}}).matches(web_request()));
  EXPECT_TRUE((PacketFilter{.ports = PortRange{70, 80}}).matches(web_request()));
  EXPECT_FALSE((PacketFilter{.ports = PortRange{81, 90}}).matches(web_request()));
}

TEST(PacketFilter, LooksAtTheSideThatIsNamed) {
  auto filter = within("10.0.0.0/8");
  filter.prefix_side = Side::kSource;
  EXPECT_TRUE(filter.matches(web_request()));
  filter.prefix_side = Side::kDestination;
  EXPECT_FALSE(filter.matches(web_request()));
  PacketFilter port{.ports = PortRange{80, 80}, .port_side = Side::kDestination};
  EXPECT_TRUE(port.matches(web_request()));
  port.port_side = Side::kSource;
  EXPECT_FALSE(port.matches(web_request()));
}

TEST(PacketFilter, TellsTheVersionsApart) {
  EXPECT_TRUE(PacketFilter{.version = IpVersion::kV4}.matches(web_request()));
  EXPECT_FALSE(PacketFilter{.version = IpVersion::kV6}.matches(web_request()));
  EXPECT_TRUE(PacketFilter{.version = IpVersion::kV6}.matches(ping()));
}

TEST(PortRange, ReadsWhatItPrints) {
  for (const auto* text : {"0", "443", "8000-8999", "0-65535"}) {
    const auto range = parse_port_range(text);
    ASSERT_TRUE(range) << text;
    EXPECT_EQ(to_string(*range), text);
  }
  EXPECT_EQ(parse_port_range("7-7"), (PortRange{7, 7}));
  for (const auto* text :
       {"", "-", "-1", "1-", "9-8", "65536", "1-65536", " 1", "1 -2", "a", "1-2-3"}) {
    EXPECT_FALSE(parse_port_range(text)) << text;
  }
}

TEST(PacketFilter, DoesNotTakeAnIcmpTypeForAPort) {
  EXPECT_FALSE((PacketFilter{.ports = PortRange{128, 128}}).matches(ping()));
  EXPECT_FALSE((PacketFilter{.ports = PortRange{0, 0}}).matches(ping()));
}

TEST(PacketFilter, AsksForAllThatIsGiven) {
  const PacketFilter filter{.prefix = parse_prefix("10.0.0.1"),
                            .ports = PortRange{80, 80},
                            .protocol = IPPROTO_TCP,
                            .direction = Direction::kEgress};
  EXPECT_TRUE(filter.matches(web_request()));
  auto key = web_request();
  key.protocol = IPPROTO_UDP;
  EXPECT_FALSE(filter.matches(key));
  key = web_request();
  key.direction = Direction::kIngress;
  EXPECT_FALSE(filter.matches(key));
  key = web_request();
  key.dst_port = 81;
  EXPECT_FALSE(filter.matches(key));
  key = web_request();
  key.src = Addr::v4(10, 0, 0, 9);
  EXPECT_FALSE(filter.matches(key));
}

}  // namespace
}  // namespace orb8
