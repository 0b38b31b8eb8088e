// SPDX-License-Identifier: Apache-2.0
#include "cli/group_rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/render_test_data.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;

void add_group(v1::QueryFlowsResponse& answer, const std::string& pod, std::uint64_t packets,
               std::uint64_t connections = 0) {
  auto& group = *answer.add_groups();
  group.set_pod(pod);
  group.set_flows(1);
  group.set_sent_packets(packets);
  group.set_sent_bytes(100 * packets);
  group.set_connections(connections);
  group.set_first_seen_ns(kNoon - kSecond);
  group.set_last_seen_ns(kNoon);
  group.set_largest_rtt_us(static_cast<std::uint32_t>(packets));
}

v1::QueryFlowsResponse answer_at(std::int64_t taken_ns) {
  v1::QueryFlowsResponse answer;
  answer.set_taken_ns(taken_ns);
  answer.set_history_from_ns(kNoon - 100 * kSecond);
  return answer;
}

TEST(GroupRates, AreTheDifferencesOfTwoAnswersGroupByGroup) {
  auto before = answer_at(kNoon);
  add_group(before, "quiet", 7);
  add_group(before, "web", 10, 1);
  auto after = answer_at(kNoon + 10 * kSecond);
  add_group(after, "web", 25, 3);
  add_group(after, "new", 90, 1);
  add_group(after, "quiet", 7);
  const auto rates = *group_rates(before, after, v1::SORT_ORDER_BYTES, 10);
  EXPECT_EQ(rates.seconds, 10);
  ASSERT_EQ(rates.moved.groups_size(), 2) << "of one that is quiet there is nothing to tell";
  EXPECT_EQ(rates.moved.groups(0).pod(), "new");
  EXPECT_EQ(rates.moved.groups(0).sent_packets(), 90U);
  const auto& web = rates.moved.groups(1);
  EXPECT_EQ(web.sent_packets(), 15U);
  EXPECT_EQ(web.sent_bytes(), 1'500U);
  EXPECT_EQ(web.connections(), 2U);
  EXPECT_EQ(web.first_seen_ns(), kNoon);
  EXPECT_EQ(web.last_seen_ns(), kNoon + 10 * kSecond);
  EXPECT_EQ(rates.renamed, 0U);
  EXPECT_FALSE(rates.history_lacks);
}

TEST(GroupRates, SumUpWhatIsBeyondTheTop) {
  const auto before = answer_at(kNoon);
  auto after = answer_at(kNoon + kSecond);
  for (const auto n : {1, 2, 3, 4}) {
    add_group(after, std::to_string(n), static_cast<std::uint64_t>(n));
  }
  const auto rates = *group_rates(before, after, v1::SORT_ORDER_PACKETS, 1);
  ASSERT_EQ(rates.moved.groups_size(), 2);
  EXPECT_EQ(rates.moved.groups(0).pod(), "4");
  EXPECT_EQ(rates.moved.groups(1).other_groups(), 3U);
  EXPECT_EQ(rates.moved.groups(1).sent_packets(), 6U);
}

TEST(GroupRates, SayThatAFlowChangedItsGroup) {
  auto before = answer_at(kNoon);
  add_group(before, "", 10);
  add_group(before, "web", 5);
  auto after = answer_at(kNoon + kSecond);
  add_group(after, "web", 17);
  EXPECT_EQ(group_rates(before, after, v1::SORT_ORDER_BYTES, 9)->renamed, 1U) << "all of them";
  add_group(after, "", 4);
  EXPECT_EQ(group_rates(before, after, v1::SORT_ORDER_BYTES, 9)->renamed, 1U) << "some";
}

TEST(GroupRates, SayThatTheHistoryLacksSomeOfWhatEndedMeanwhile) {
  const auto before = answer_at(kNoon);
  auto after = answer_at(kNoon + kSecond);
  after.set_history_from_ns(kNoon + 1);
  EXPECT_TRUE(group_rates(before, after, v1::SORT_ORDER_BYTES, 9)->history_lacks);
}

TEST(GroupRates, NeedAllGroups) {
  const auto before = answer_at(kNoon);
  auto after = answer_at(kNoon + kSecond);
  add_group(after, "web", 17);
  add_group(after, "", 17);
  after.mutable_groups(1)->set_other_groups(2'000);
  const auto rates = group_rates(before, after, v1::SORT_ORDER_BYTES, 9);
  ASSERT_FALSE(rates);
  EXPECT_THAT(rates.error().what, HasSubstr("rates need all of 2,001 groups, and an answer of the "
                                            "agent holds 1: "));
}

}  // namespace
}  // namespace orb8
