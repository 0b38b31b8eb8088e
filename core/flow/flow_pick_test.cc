// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_pick.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

FlowRecord record(std::uint16_t port, std::uint64_t packets, std::uint64_t bytes,
                  std::int64_t at = 1) {
  return {.key = {.src = Addr::v4(10, 0, 0, 1), .dst = Addr::v4(10, 0, 0, 2), .src_port = port},
          .packets = packets,
          .bytes = bytes,
          .incarnation = 1,
          .first_seen_ns = at,
          .last_seen_ns = at};
}

std::vector<std::uint16_t> ports(const FlowPick& pick) {
  std::vector<std::uint16_t> all;
  all.reserve(pick.flows.size());
  for (const auto& flow : pick.flows) all.push_back(flow.key.src_port);
  return all;
}

std::shared_ptr<const FlowSnapshot> snapshot_of(const std::vector<FlowRecord>& records) {
  FlowTable table({.max_flows = 1'000'000});
  for (const auto& one : records) table.apply(one, [](const FlowRecord&) { return FlowOwners{}; });
  return table.share();
}

TEST(FlowPick, SortsByWhatIsAsked) {
  const auto snapshot =
      snapshot_of({record(1, 9, 10, 5), record(2, 3, 30, 7), record(3, 5, 20, 6)});
  EXPECT_THAT(ports(pick_flows(*snapshot, {}, FlowSort::kBytes, 10)), ElementsAre(2, 3, 1));
  EXPECT_THAT(ports(pick_flows(*snapshot, {}, FlowSort::kPackets, 10)), ElementsAre(1, 3, 2));
  EXPECT_THAT(ports(pick_flows(*snapshot, {}, FlowSort::kLastSeen, 10)), ElementsAre(2, 3, 1));
}

TEST(FlowPick, SortsByHowConnectionsDo) {
  auto slow = record(1, 1, 1);
  slow.life = FlowLife::kOpen;
  slow.socket.rtt_us = 900;
  auto lossy = record(2, 1, 1);
  lossy.life = FlowLife::kOpen;
  lossy.socket.retransmits = 5;
  const auto snapshot = snapshot_of({slow, lossy});
  EXPECT_THAT(ports(pick_flows(*snapshot, {}, FlowSort::kRtt, 10)), ElementsAre(1, 2));
  EXPECT_THAT(ports(pick_flows(*snapshot, {}, FlowSort::kRetransmits, 10)), ElementsAre(2, 1));
}

TEST(FlowPick, KeepsTheLargestAndCountsTheOthers) {
  const auto snapshot = snapshot_of({record(1, 1, 10), record(2, 1, 30), record(3, 1, 20)});
  const auto pick = pick_flows(*snapshot, {}, FlowSort::kBytes, 2);
  EXPECT_THAT(ports(pick), ElementsAre(2, 3));
  EXPECT_EQ(pick.matched, 3U);
  EXPECT_THAT(pick_flows(*snapshot, {}, FlowSort::kBytes, 0).flows, IsEmpty());
}

TEST(FlowPick, OrdersEqualFlowsByTheirKey) {
  const auto snapshot = snapshot_of({record(3, 1, 10), record(1, 1, 10), record(2, 1, 10)});
  EXPECT_THAT(ports(pick_flows(*snapshot, {}, FlowSort::kBytes, 10)), ElementsAre(1, 2, 3));
}

TEST(FlowPick, AppliesTheFilter) {
  const auto snapshot = snapshot_of({record(1, 1, 10), record(2, 1, 30)});
  const auto pick = pick_flows(*snapshot, FlowMatcher({.all = {.either = {.ports = {{1, 1}}}}}),
                               FlowSort::kBytes, 10);
  EXPECT_THAT(ports(pick), ElementsAre(1));
  EXPECT_EQ(pick.matched, 1U);
}

TEST(FlowPick, AgreesWithAFullSort) {
  std::mt19937 random(3);
  std::vector<FlowRecord> records;
  records.reserve(1000);
  for (std::uint16_t port = 0; port < 1000; ++port) {
    records.push_back(record(port, 1, 1 + random() % 50));
  }
  const auto snapshot = snapshot_of(records);
  std::ranges::sort(records, [](const FlowRecord& a, const FlowRecord& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.key.src_port < b.key.src_port;
  });
  const auto pick = pick_flows(*snapshot, {}, FlowSort::kBytes, 100);
  for (std::size_t i = 0; i < 100; ++i) ASSERT_EQ(pick.flows[i].key, records[i].key) << i;
}

}  // namespace
}  // namespace orb8
