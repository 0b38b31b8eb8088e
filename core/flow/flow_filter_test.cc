// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <random>
#include <string_view>

#include "core/flow/flow_matcher.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

Prefix prefix(std::string_view text) {
  return parse_prefix(text).value_or(Prefix{});
}

PortRange port(std::uint16_t number) {
  return {.first = number, .last = number};
}

FlowFilter of_port(std::uint16_t number) {
  return {.either = {.ports = {port(number)}}};
}

TEST(PacketFilters, AreTheProductOfTheFields) {
  const FlowFilter filter{
      .either = {.prefixes = {prefix("10.0.0.0/8")}, .ports = {port(53), port(80)}},
      .protocols = {IPPROTO_UDP, IPPROTO_TCP}};
  EXPECT_THAT(packet_filters({.all = filter}, 16), SizeIs(4));
  EXPECT_THAT(packet_filters({.allow = {filter}}, 16), SizeIs(4));
  EXPECT_THAT(packet_filters({}, 16), ElementsAre(PacketFilter{}));
}

TEST(PacketFilters, AreThoseOfEachFilterThatIsAllowed) {
  EXPECT_THAT(packet_filters({.allow = {of_port(53), of_port(80)}}, 16),
              ElementsAre(PacketFilter{.ports = port(53)}, PacketFilter{.ports = port(80)}));
  EXPECT_THAT(packet_filters({.allow = {of_port(53), {.min_bytes = 7}}}, 16),
              ElementsAre(PacketFilter{}))
      << "the kernel cannot decide one of them";
}

TEST(PacketFilters, LeaveToUserSpaceWhatMustNotMatch) {
  EXPECT_THAT(packet_filters({.deny = {of_port(53)}}, 16), ElementsAre(PacketFilter{}));
  EXPECT_THAT(packet_filters({.all = {.none_of = {of_port(53)}}}, 16), ElementsAre(PacketFilter{}));
}

TEST(PacketFilters, AskOneSideWhereOneIsNamed) {
  const FlowFilter filter{.source = {.prefixes = {prefix("10.0.0.1")}},
                          .destination = {.ports = {port(443)}}};
  EXPECT_THAT(packet_filters({.all = filter}, 16),
              ElementsAre(PacketFilter{.prefix = prefix("10.0.0.1"),
                                       .prefix_side = Side::kSource,
                                       .ports = port(443),
                                       .port_side = Side::kDestination}));
}

TEST(PacketFilters, WidenToEverythingBeyondTheBound) {
  FlowFilter filter;
  for (std::uint16_t number = 0; number < 17; ++number) {
    filter.either.ports.push_back(port(number));
  }
  EXPECT_THAT(packet_filters({.all = filter}, 17), SizeIs(17));
  EXPECT_THAT(packet_filters({.all = filter}, 16), ElementsAre(PacketFilter{}));
  EXPECT_THAT(packet_filters({.allow = {filter, of_port(99)}}, 17), ElementsAre(PacketFilter{}));
}

// The kernel may let through what user space then leaves out, and never the other way round.
class PacketFiltersProperty : public ::testing::Test {
 protected:
  unsigned below(unsigned n) { return std::uniform_int_distribution(0U, n - 1)(random_); }

  Addr addr() {
    auto v6 = prefix("fd00::1").addr;
    v6.bytes[15] = static_cast<std::uint8_t>(below(3));
    return below(2) == 0 ? v6 : Addr::v4(10, 0, 0, static_cast<std::uint8_t>(below(3)));
  }

  EndpointFilter endpoint() {
    static constexpr std::string_view kPrefixes[] = {"10.0.0.0/31", "10.0.0.2", "fd00::/64", "::/0",
                                                     "0.0.0.0/0"};
    EndpointFilter filter;
    for (auto i = below(3); i > 0; --i) filter.prefixes.push_back(prefix(kPrefixes[below(5)]));
    for (auto i = below(3); i > 0; --i) {
      const auto first = static_cast<std::uint16_t>(below(4));
      filter.ports.push_back({first, static_cast<std::uint16_t>(first + below(2))});
    }
    return filter;
  }

  FlowFilter filter(bool of_one_side) {
    FlowFilter filter;
    if (below(2) == 0) filter.either = endpoint();
    if (!of_one_side && below(3) == 0) filter.source = endpoint();
    if (!of_one_side && below(3) == 0) filter.destination = endpoint();
    if (below(2) == 0) filter.protocols.push_back(protocol());
    if (below(3) == 0) filter.directions.push_back(Direction::kIngress);
    if (below(3) == 0) filter.versions.push_back(IpVersion::kV6);
    return filter;
  }

  Flow flow() {
    Flow flow;
    flow.key = {.src = addr(),
                .dst = {},
                .src_port = static_cast<std::uint16_t>(below(4)),
                .dst_port = static_cast<std::uint16_t>(below(4)),
                .protocol = protocol(),
                .direction = below(2) == 0 ? Direction::kIngress : Direction::kEgress};
    do {
      flow.key.dst = addr();
    } while (flow.key.dst.is_v4() != flow.key.src.is_v4());
    return flow;
  }

  static bool any(const std::vector<PacketFilter>& filters, const Flow& flow) {
    return std::ranges::any_of(filters, [&](const auto& one) { return one.matches(flow.key); });
  }

 private:
  std::uint8_t protocol() {
    static constexpr std::uint8_t kProtocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
                                                  IPPROTO_ICMPV6};
    return kProtocols[below(4)];
  }

  std::mt19937 random_{7};
};

TEST_F(PacketFiltersProperty, LetEveryPacketThroughThatTheSelectionMatches) {
  int both = 0;
  for (int round = 0; round < 5000; ++round) {
    FlowSelection selection{.all = filter(false)};
    for (auto i = below(3); i > 0; --i) selection.allow.push_back(filter(false));
    for (auto i = below(2); i > 0; --i) selection.deny.push_back(filter(false));
    const auto one = flow();
    if (!FlowMatcher(selection).matches(one)) continue;
    ASSERT_TRUE(any(packet_filters(selection, 64), one)) << "round " << round;
    ++both;
  }
  EXPECT_GT(both, 300);
}

TEST_F(PacketFiltersProperty, LetNothingElseThroughWhereTheKernelCanDecideItAll) {
  for (int round = 0; round < 5000; ++round) {
    const FlowSelection selection{.all = filter(true)};
    const auto one = flow();
    ASSERT_EQ(any(packet_filters(selection, 64), one) &&
                  (selection.all.versions.empty() || ip_version(one.key) == IpVersion::kV6),
              FlowMatcher(selection).matches(one))
        << "round " << round;
  }
}

}  // namespace
}  // namespace orb8
