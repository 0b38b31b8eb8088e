// SPDX-License-Identifier: Apache-2.0
#include "core/source/spill_anchors.h"

#include <gtest/gtest.h>

namespace orb8 {
namespace {

constexpr std::uint32_t kUplink = 4;
constexpr std::uint32_t kBridge = 7;
constexpr std::int64_t kSecond = 1'000'000'000;

FlowKey flow(std::uint16_t port) {
  return {.src = Addr::v4(10, 0, 0, 1),
          .dst = Addr::v4(10, 0, 0, 2),
          .src_port = port,
          .dst_port = 80,
          .protocol = 6,
          .direction = Direction::kIngress};
}

TEST(SpillAnchors, CountsAFlowAtTheFirstHookOnly) {
  SpillAnchors anchors(10);
  EXPECT_TRUE(anchors.counts_at(flow(1), kUplink, 0));
  EXPECT_FALSE(anchors.counts_at(flow(1), kBridge, 0));
  EXPECT_TRUE(anchors.counts_at(flow(1), kUplink, kSecond));
}

TEST(SpillAnchors, TellsAForwardedPacketByItsFlowAndNotItsDirection) {
  SpillAnchors anchors(10);
  auto out = flow(1);
  out.direction = Direction::kEgress;
  EXPECT_TRUE(anchors.counts_at(flow(1), kUplink, 0));
  EXPECT_FALSE(anchors.counts_at(out, kBridge, 0));
}

TEST(SpillAnchors, LetsAnotherHookTakeOverWhenTheFirstIsSilent) {
  SpillAnchors anchors(10);
  anchors.counts_at(flow(1), kUplink, 0);
  EXPECT_FALSE(anchors.counts_at(flow(1), kBridge, SpillAnchors::kTakeoverNs - 1));
  EXPECT_TRUE(anchors.counts_at(flow(1), kBridge, SpillAnchors::kTakeoverNs));
  EXPECT_FALSE(anchors.counts_at(flow(1), kUplink, SpillAnchors::kTakeoverNs + 1));
}

TEST(SpillAnchors, StaysWithinItsBoundAndCountsWhatIsBeyond) {
  SpillAnchors anchors(2);
  for (std::uint16_t port = 0; port < 5; ++port) {
    EXPECT_TRUE(anchors.counts_at(flow(port), kUplink, 0));
  }
  EXPECT_EQ(anchors.size(), 2U);
}

TEST(SpillAnchors, ForgetsTheSilentOnes) {
  SpillAnchors anchors(10);
  anchors.counts_at(flow(1), kUplink, 0);
  anchors.counts_at(flow(2), kUplink, kSecond);
  anchors.forget_silent(SpillAnchors::kTakeoverNs);
  EXPECT_EQ(anchors.size(), 1U);
}

}  // namespace
}  // namespace orb8
