// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>
#include <random>
#include <string_view>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

FlowKey dns_query() {
  return {.src = Addr::v4(10, 0, 0, 1),
          .dst = Addr::v4(192, 168, 1, 53),
          .src_port = 40000,
          .dst_port = 53,
          .protocol = IPPROTO_UDP,
          .direction = Direction::kEgress};
}

EndpointRef pod(const std::string& name_space, const std::string& name) {
  return std::make_shared<const Endpoint>(Endpoint{EndpointKind::kPod, name_space, name});
}

Prefix prefix(std::string_view text) {
  return parse_prefix(text).value_or(Prefix{});
}

TEST(FlowFilter, MatchesEverythingWhenEmpty) {
  EXPECT_TRUE(FlowFilter{}.matches(dns_query(), {}));
}

TEST(FlowFilter, ComparesAddressesAndPortsOfEitherSide) {
  EXPECT_TRUE((FlowFilter{.prefixes = {prefix("10.0.0.0/8")}}).matches(dns_query(), {}));
  EXPECT_TRUE((FlowFilter{.prefixes = {prefix("192.168.1.53")}}).matches(dns_query(), {}));
  EXPECT_FALSE((FlowFilter{.prefixes = {prefix("11.0.0.0/8")}}).matches(dns_query(), {}));
  EXPECT_TRUE((FlowFilter{.ports = {53}}).matches(dns_query(), {}));
  EXPECT_TRUE((FlowFilter{.ports = {40000}}).matches(dns_query(), {}));
  EXPECT_FALSE((FlowFilter{.ports = {80}}).matches(dns_query(), {}));
}

TEST(FlowFilter, IsAnOrWithinAFieldAndAnAndBetweenFields) {
  const FlowFilter filter{.ports = {80, 53}, .protocols = {IPPROTO_TCP, IPPROTO_UDP}};
  EXPECT_TRUE(filter.matches(dns_query(), {}));
  auto other = filter;
  other.protocols = {IPPROTO_TCP};
  EXPECT_FALSE(other.matches(dns_query(), {}));
}

TEST(FlowFilter, DoesNotTakeAnIcmpTypeForAPort) {
  auto echo = dns_query();
  echo.protocol = IPPROTO_ICMP;
  echo.src_port = 8;
  echo.dst_port = 0;
  EXPECT_FALSE((FlowFilter{.ports = {8}}).matches(echo, {}));
}

TEST(FlowFilter, KnowsAFlowOfNobodyAsExternalUnknown) {
  EXPECT_TRUE((FlowFilter{.namespaces = {"external"}}).matches(dns_query(), {}));
  EXPECT_TRUE((FlowFilter{.pods = {"unknown"}}).matches(dns_query(), {}));
  EXPECT_FALSE((FlowFilter{.namespaces = {"shop"}}).matches(dns_query(), {}));
}

TEST(FlowFilter, FindsAPodOnEitherSide) {
  const FlowOwners owners{.src = pod("shop", "web-0"), .dst = pod("infra", "dns-1")};
  EXPECT_TRUE((FlowFilter{.namespaces = {"shop"}}).matches(dns_query(), owners));
  EXPECT_TRUE((FlowFilter{.namespaces = {"infra"}}).matches(dns_query(), owners));
  EXPECT_TRUE((FlowFilter{.pods = {"dns-1"}}).matches(dns_query(), owners));
  EXPECT_FALSE((FlowFilter{.pods = {"web-1"}}).matches(dns_query(), owners));
}

TEST(FlowFilter, WantsNamespaceAndPodOfOneSide) {
  const FlowOwners owners{.src = pod("shop", "web-0"), .dst = pod("infra", "dns-1")};
  EXPECT_TRUE(
      (FlowFilter{.namespaces = {"infra"}, .pods = {"dns-1"}}).matches(dns_query(), owners));
  EXPECT_FALSE(
      (FlowFilter{.namespaces = {"shop"}, .pods = {"dns-1"}}).matches(dns_query(), owners));
}

TEST(FlowFilter, TakesNothingButAPodForAPod) {
  const auto owner = [](EndpointKind kind, const std::string& name_space) {
    return std::make_shared<const Endpoint>(Endpoint{kind, name_space, "web"});
  };
  const FlowFilter web{.pods = {"web"}};
  EXPECT_FALSE(web.matches(dns_query(), {.dst = owner(EndpointKind::kService, "shop")}));
  EXPECT_FALSE(web.matches(dns_query(), {.dst = owner(EndpointKind::kProcess, "")}));
  EXPECT_TRUE(web.matches(dns_query(), {.dst = owner(EndpointKind::kPod, "shop")}));
  const FlowFilter shop{.namespaces = {"shop"}};
  EXPECT_TRUE(shop.matches(dns_query(), {.dst = owner(EndpointKind::kService, "shop")}));
}

TEST(FlowFilter, DoesNotTakeAnOwnerOutsideNamespacesForOneOfTheEmptyName) {
  const auto process =
      std::make_shared<const Endpoint>(Endpoint{EndpointKind::kProcess, "", "sshd"});
  EXPECT_FALSE((FlowFilter{.namespaces = {""}}).matches(dns_query(), {.src = process}));
}

TEST(PacketFilters, AreTheProductOfTheFields) {
  const FlowFilter filter{.prefixes = {prefix("10.0.0.0/8")},
                          .ports = {53, 80},
                          .protocols = {IPPROTO_UDP, IPPROTO_TCP}};
  EXPECT_THAT(filter.packet_filters(16), SizeIs(4));
  EXPECT_THAT(FlowFilter{}.packet_filters(16), ElementsAre(PacketFilter{}));
}

TEST(PacketFilters, WidenToEverythingBeyondTheBound) {
  FlowFilter filter;
  for (std::uint16_t port = 0; port < 17; ++port) filter.ports.push_back(port);
  EXPECT_THAT(filter.packet_filters(17), SizeIs(17));
  EXPECT_THAT(filter.packet_filters(16), ElementsAre(PacketFilter{}));
}

// Of two ways to say the same, the kernel has one and the streams the other.
TEST(PacketFilters, AgreeWithTheFilterTheyComeFrom) {
  std::mt19937 random(7);
  const auto below = [&](unsigned n) { return std::uniform_int_distribution(0U, n - 1)(random); };
  const auto addr = [&] {
    auto v6 = prefix("fd00::1").addr;
    v6.bytes[15] = static_cast<std::uint8_t>(below(3));
    return below(2) == 0 ? v6 : Addr::v4(10, 0, 0, static_cast<std::uint8_t>(below(3)));
  };
  const char* const prefixes[] = {"10.0.0.0/31", "10.0.0.2", "fd00::/64", "::/0", "0.0.0.0/0"};
  const std::uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6};
  for (int round = 0; round < 5000; ++round) {
    FlowFilter filter;
    for (unsigned i = below(3); i > 0; --i) filter.prefixes.push_back(prefix(prefixes[below(5)]));
    for (unsigned i = below(3); i > 0; --i)
      filter.ports.push_back(static_cast<std::uint16_t>(below(4)));
    for (unsigned i = below(2); i > 0; --i) filter.protocols.push_back(protocols[below(4)]);
    if (below(3) == 0) filter.directions.push_back(Direction::kIngress);
    const FlowKey key{.src = addr(),
                      .dst = addr(),
                      .src_port = static_cast<std::uint16_t>(below(4)),
                      .dst_port = static_cast<std::uint16_t>(below(4)),
                      .protocol = protocols[below(4)],
                      .direction = below(2) == 0 ? Direction::kIngress : Direction::kEgress};
    bool any = false;
    for (const auto& one : filter.packet_filters(64)) any |= one.matches(key);
    ASSERT_EQ(any, filter.matches(key, {})) << "round " << round;
  }
}

TEST(FlowFilter, MatchesHowAConnectionDoes) {
  Flow slow;
  slow.socket.rtt_us = 50'000;
  EXPECT_TRUE((FlowFilter{.min_rtt_us = 50'000}).matches(slow));
  EXPECT_FALSE((FlowFilter{.min_rtt_us = 50'001}).matches(slow));
  Flow refused;
  refused.socket.state = 7;  // TCP_CLOSE
  refused.socket.error = ECONNREFUSED;
  EXPECT_TRUE((FlowFilter{.failed = true}).matches(refused));
  EXPECT_FALSE((FlowFilter{.failed = true}).matches(slow));
}

}  // namespace
}  // namespace orb8
