// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/late_flows.h"

#include <gtest/gtest.h>

#include <vector>

namespace orb8 {
namespace {

FlowKey flow(std::uint16_t port) {
  return {.dst_port = port};
}

std::vector<std::uint16_t> ports(LateFlows& late, std::int64_t now_ns, bool keep) {
  std::vector<std::uint16_t> shown;
  late.retry(now_ns, [&](const FlowKey& key) {
    shown.push_back(key.dst_port);
    return keep;
  });
  return shown;
}

TEST(LateFlows, ShowsEachUntilItHasAName) {
  LateFlows late;
  late.add(flow(1), 0);
  late.add(flow(2), 1);
  EXPECT_EQ(ports(late, 2, true), (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(ports(late, 2, false), (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(late.size(), 0U);
}

TEST(LateFlows, GivesUpAfterAWhile) {
  LateFlows late;
  late.add(flow(1), 0);
  late.add(flow(2), 1);
  EXPECT_EQ(ports(late, LateFlows::kPatienceNs, true), (std::vector<std::uint16_t>{2}));
  late.expire(LateFlows::kPatienceNs + 1);
  EXPECT_EQ(late.size(), 0U);
}

TEST(LateFlows, DropsTheOldestOfTooMany) {
  LateFlows late(2);
  for (std::uint16_t port = 1; port <= 3; ++port) late.add(flow(port), 0);
  EXPECT_EQ(ports(late, 1, true), (std::vector<std::uint16_t>{2, 3}));
}

}  // namespace
}  // namespace orb8
