// What readers get, and what it costs: pages that are shared, copied, filled again and freed.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "core/flow/flow_table.h"

namespace orb8 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

FlowRecord record(unsigned n, std::uint64_t packets, std::int64_t at = kStart) {
  return {.key = {.src_port = static_cast<std::uint16_t>(n)},
          .packets = packets,
          .bytes = 100 * packets,
          .incarnation = 1,
          .first_seen_ns = at,
          .last_seen_ns = at};
}

FlowOwners nobody(const FlowRecord& /*record*/) {
  return {};
}

const Flow& row_of(const FlowSnapshot& snapshot, unsigned n) {
  static const Flow no_row;
  const Flow* found = &no_row;
  snapshot.for_each([&](const Flow& row) {
    if (row.key.src_port == n) found = &row;
  });
  return *found;
}

TEST(FlowSnapshot, NeverChangesWhileSomebodyHoldsIt) {
  FlowTable table({});
  table.apply(record(1, 1), nobody);
  const auto before = table.share();
  table.apply(record(1, 50), nobody);
  table.apply(record(2, 1), nobody);
  EXPECT_EQ(before->size(), 1U);
  EXPECT_EQ(row_of(*before, 1).packets, 1U);
  const auto after = table.share();
  EXPECT_EQ(after->size(), 2U);
  EXPECT_EQ(row_of(*after, 1).packets, 50U);
}

TEST(FlowSnapshot, SharesThePagesOfFlowsThatStandStill) {
  FlowTable table({});
  table.apply(record(1, 1), nobody);
  const auto before = table.share();
  table.apply(record(1, 1), nobody);  // moved nothing
  EXPECT_EQ(table.share(), before);
  for (unsigned n = 2; n <= FlowPage::kRows; ++n) table.apply(record(n, 1), nobody);
  const auto full = table.share();
  table.apply(record(FlowPage::kRows + 1, 1), nobody);  // on a page of its own
  EXPECT_EQ(&row_of(*table.share(), 1), &row_of(*full, 1));
  table.apply(record(1, 2), nobody);
  EXPECT_NE(&row_of(*table.share(), 1), &row_of(*full, 1));
}

TEST(FlowSnapshot, CostsNoCopyWhenNobodyHoldsOne) {
  FlowTable table({});
  table.apply(record(1, 1), nobody);
  const auto* const before = &row_of(*table.share(), 1);
  table.apply(record(1, 2), nobody);
  EXPECT_EQ(&row_of(*table.share(), 1), before);
}

TEST(FlowSnapshot, LetsTheOwnersOfAnEndedFlowGo) {
  const auto owner = std::make_shared<const Endpoint>(Endpoint{EndpointKind::kPod, "shop", "web"});
  FlowTable table({});
  table.apply(record(1, 1), [&](const FlowRecord&) { return FlowOwners{owner, nullptr}; });
  table.apply(record(2, 1, kStart + 20 * kSecond), nobody);  // keeps the page
  ASSERT_TRUE(table.end(record(1, 1).key, kStart + 30 * kSecond));
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(FlowSnapshot, FillsTheGapsThatEndedFlowsLeft) {
  constexpr unsigned kFlows = 8 * FlowPage::kRows;
  FlowTable table({.max_flows = std::size_t{2} * kFlows});
  const auto pages = [&] {
    table.tidy();
    return table.share()->pages();
  };
  for (unsigned n = 0; n < kFlows; ++n) table.apply(record(n, 1), nobody);
  EXPECT_EQ(pages(), 8U);
  const auto later = kStart + 60 * kSecond;
  for (unsigned n = 0; n < kFlows; n += 8) table.apply(record(n, 2, later), nobody);
  for (const auto& due : table.due(later)) table.end(due.key, later);
  EXPECT_EQ(table.size(), kFlows / 8);
  EXPECT_EQ(pages(), 8U);
  for (unsigned n = kFlows; table.size() < kFlows; ++n) table.apply(record(n, 1, later), nobody);
  EXPECT_EQ(pages(), 8U);
  // A page that no flow is left in goes.
  table.apply(record(5, 9, later + 60 * kSecond), nobody);
  for (const auto& due : table.due(later + 60 * kSecond)) table.end(due.key, later + 60 * kSecond);
  EXPECT_EQ(pages(), 1U);
}

TEST(FlowSnapshot, IsGoneThroughInPartsOfWhichEachFlowIsInOne) {
  constexpr unsigned kFlows = 8 * FlowPage::kRows;
  FlowTable table({.max_flows = kFlows});
  for (unsigned n = 0; n < kFlows; ++n) table.apply(record(n, 1), nobody);
  const auto later = kStart + 60 * kSecond;
  std::map<unsigned, int> met;
  for (std::size_t page = 0; page < table.share()->page_numbers(); page += 3) {
    table.share()->for_each_in(page, 3, [&](const Flow& row) { ++met[row.key.src_port]; });
    if (page > 0) continue;
    // The second half of the first page ends, and all of the second: the others stay where they
    // are.
    for (unsigned n = 0; n < kFlows; ++n) {
      if (n < 64 || n >= 256) table.apply(record(n, 2, later), nobody);
    }
    for (const auto& due : table.due(later)) table.end(due.key, later);
    table.tidy();
  }
  EXPECT_EQ(met.size(), kFlows);
  for (const auto& [port, times] : met) EXPECT_EQ(times, 1) << port;
  std::size_t beyond = 0;
  table.share()->for_each_in(8, 3, [&](const Flow&) { ++beyond; });
  EXPECT_EQ(beyond, 0U);
}

}  // namespace
}  // namespace orb8
