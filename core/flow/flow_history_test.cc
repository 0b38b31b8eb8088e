// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "core/flow/flow_view.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

Flow flow_of(std::uint64_t packets) {
  Flow flow;
  flow.packets = packets;
  return flow;
}

std::vector<std::uint64_t> packets_in(const HistorySnapshot& snapshot) {
  std::vector<std::uint64_t> packets;
  snapshot.for_each([&](const EndedFlow& ended) { packets.push_back(ended.flow.packets); });
  return packets;
}

TEST(FlowHistory, HasEveryFlowThatEndedInTheOrderOfTheirEnds) {
  FlowHistory history({}, kStart);
  history.add(flow_of(1), EndReason::kIdle, kStart + 1);
  history.add(flow_of(2), EndReason::kEvicted, kStart + 2);
  const auto snapshot = history.share();
  EXPECT_THAT(packets_in(*snapshot), ElementsAre(1, 2));
  EXPECT_EQ(snapshot->complete_from_ns(), kStart);
  std::vector<EndReason> reasons;
  snapshot->for_each([&](const EndedFlow& ended) { reasons.push_back(ended.flow.end_reason); });
  EXPECT_THAT(reasons, ElementsAre(EndReason::kIdle, EndReason::kEvicted));
}

TEST(FlowHistory, OverwritesTheOldestCountsItAndSaysSinceWhenItIsComplete) {
  FlowHistory history({.max_flows = 2}, kStart);
  for (std::uint64_t n = 1; n <= 5; ++n) {
    history.add(flow_of(n), EndReason::kClosed, kStart + static_cast<std::int64_t>(n));
  }
  EXPECT_THAT(packets_in(*history.share()), ElementsAre(4, 5));
  EXPECT_EQ(history.overwritten(), 3U);
  EXPECT_EQ(history.complete_from_ns(), kStart + 4);
}

TEST(FlowHistory, ForgetsWhatIsTooOldWithoutCallingItOverwritten) {
  FlowHistory history({.max_age_ns = 10 * kSecond}, kStart);
  history.add(flow_of(1), EndReason::kClosed, kStart + kSecond);
  history.add(flow_of(2), EndReason::kClosed, kStart + 2 * kSecond);
  history.expire(kStart + 12 * kSecond);
  EXPECT_THAT(packets_in(*history.share()), ElementsAre(2));
  EXPECT_EQ(history.overwritten(), 0U);
  EXPECT_EQ(history.complete_from_ns(), kStart + kSecond + 1);
}

TEST(FlowHistory, CostsNothingWhereNothingEndsAndNothingAgainOnceAllIsOld) {
  FlowHistory history({.max_age_ns = kSecond}, kStart);
  EXPECT_EQ(history.pages(), 0U);
  for (std::uint64_t n = 0; n < 10 * HistoryPage::kRows; ++n) {
    history.add(flow_of(n), EndReason::kClosed, kStart);
  }
  EXPECT_EQ(history.pages(), 10U);
  history.expire(kStart + 3 * kSecond);
  EXPECT_EQ(history.pages(), 0U);
  EXPECT_EQ(history.size(), 0U);
}

TEST(FlowHistory, HasNoMorePagesThanItsBoundNeeds) {
  FlowHistory history({.max_flows = 300}, kStart);
  for (std::uint64_t n = 0; n < 5'000; ++n) history.add(flow_of(n), EndReason::kClosed, kStart);
  EXPECT_EQ(history.size(), 300U);
  EXPECT_LE(history.pages(), 4U);
}

TEST(FlowHistory, KeepsNothingWhereItIsOffAndIsCompleteFromTheLastEndOn) {
  FlowHistory history({.max_flows = 0}, kStart);
  history.add(flow_of(1), EndReason::kClosed, kStart + 7);
  EXPECT_EQ(history.share()->size(), 0U);
  EXPECT_EQ(history.pages(), 0U);
  EXPECT_EQ(history.complete_from_ns(), kStart + 8);
  EXPECT_EQ(history.overwritten(), 0U);
}

TEST(FlowHistory, GivesEachEndAMomentOfItsOwnThoughTheClockStandsStillOrGoesBack) {
  FlowHistory history({}, kStart);
  history.add(flow_of(1), EndReason::kClosed, kStart + kSecond);
  const auto between = history.moment(kStart + kSecond);
  history.add(flow_of(2), EndReason::kClosed, kStart - kSecond);
  std::vector<std::int64_t> times;
  history.share()->for_each([&](const EndedFlow& ended) { times.push_back(ended.ended_ns); });
  EXPECT_LT(times.at(0), between);
  EXPECT_LT(between, times.at(1));
}

TEST(FlowHistory, ChangesNoSnapshotThatSomebodyHolds) {
  FlowHistory history({.max_flows = 3}, kStart);
  history.add(flow_of(1), EndReason::kClosed, kStart);
  const auto before = history.share();
  for (std::uint64_t n = 2; n < 1'000; ++n) history.add(flow_of(n), EndReason::kClosed, kStart);
  EXPECT_THAT(packets_in(*before), ElementsAre(1));
  history.expire(kStart + 10'000 * kSecond);
  EXPECT_THAT(packets_in(*before), ElementsAre(1));
  EXPECT_THAT(packets_in(*history.share()), IsEmpty());
}

TEST(FlowHistory, LetsGoOfOwnersWithTheirPage) {
  FlowHistory history({.max_age_ns = kSecond}, kStart);
  auto flow = flow_of(1);
  flow.owners = FlowOwners{};
  const auto owners = flow.owners;
  history.add(flow, EndReason::kClosed, kStart);
  flow.owners = {};
  EXPECT_TRUE(owners.is_shared());
  history.expire(kStart + 3 * kSecond);
  EXPECT_FALSE(owners.is_shared());
}

// The same by a list and nothing clever.
class Model {
 public:
  explicit Model(FlowHistory::Limits limits) : limits_(limits) {}

  void add(std::uint64_t packets, std::int64_t now_ns) {
    clock_ns_ = std::max(now_ns, clock_ns_ + 1);
    all_.push_back({.packets = packets, .ended_ns = clock_ns_});
    if (all_.size() - gone_ <= limits_.max_flows) return;
    ++gone_;
    ++overwritten_;
  }
  void expire(std::int64_t now_ns) {
    while (gone_ < all_.size() && all_[gone_].ended_ns + limits_.max_age_ns < now_ns) ++gone_;
  }
  std::vector<std::uint64_t> packets() const {
    std::vector<std::uint64_t> packets;
    for (auto i = gone_; i < all_.size(); ++i) packets.push_back(all_[i].packets);
    return packets;
  }
  // Whether all that ended from then on is still there, and the one before it is not.
  bool is_complete_from(std::int64_t moment_ns) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if ((all_[i].ended_ns >= moment_ns) != (i >= gone_)) return false;
    }
    return true;
  }
  std::uint64_t overwritten() const { return overwritten_; }

 private:
  struct Ended {
    std::uint64_t packets;
    std::int64_t ended_ns;
  };
  FlowHistory::Limits limits_;
  std::vector<Ended> all_;
  std::size_t gone_ = 0;
  std::uint64_t overwritten_ = 0;
  std::int64_t clock_ns_ = kStart;
};

class FlowHistoryProperty : public ::testing::TestWithParam<unsigned> {};

TEST_P(FlowHistoryProperty, IsWhatAListWouldBe) {
  std::mt19937_64 random(GetParam());
  const auto below = [&](std::uint64_t end) { return random() % end; };
  const FlowHistory::Limits limits{.max_flows = 1 + below(700),
                                   .max_age_ns = static_cast<std::int64_t>(1 + below(2'000))};
  FlowHistory history(limits, kStart);
  Model model(limits);
  auto now = kStart;
  std::deque<std::pair<std::shared_ptr<const HistorySnapshot>, std::vector<std::uint64_t>>> held;
  for (std::uint64_t step = 0; step < 5'000; ++step) {
    now += static_cast<std::int64_t>(below(8)) - (below(50) == 0 ? 20 : 0);  // seldom set back
    if (below(10) == 0) {
      history.expire(now);
      model.expire(now);
    } else {
      history.add(flow_of(step), EndReason::kClosed, now);
      model.add(step, now);
    }
    if (below(40) != 0) continue;
    held.emplace_back(history.share(), model.packets());
    ASSERT_EQ(packets_in(*held.back().first), held.back().second);
    ASSERT_EQ(history.size(), held.back().second.size());
    ASSERT_TRUE(model.is_complete_from(history.complete_from_ns()));
    if (held.size() > 5) held.pop_front();
    for (const auto& [snapshot, packets] : held) ASSERT_EQ(packets_in(*snapshot), packets);
  }
  EXPECT_EQ(history.overwritten(), model.overwritten());
}

INSTANTIATE_TEST_SUITE_P(Seeds, FlowHistoryProperty, ::testing::Range(1U, 21U));

// A snapshot's page is written further while it is read.
TEST(FlowHistory, IsReadWhileItIsWritten) {
  FlowHistory history({.max_flows = 1'000}, kStart);
  std::mutex mutex;
  std::shared_ptr<const HistorySnapshot> shown = history.share();
  std::atomic<bool> over = false;
  std::jthread reader([&] {
    for (int round = 0; round < 2'000; ++round) {
      std::shared_ptr<const HistorySnapshot> snapshot;
      {
        const std::lock_guard lock(mutex);
        snapshot = shown;
      }
      std::uint64_t before = 0;
      snapshot->for_each([&](const EndedFlow& ended) {
        if (before != 0) {
          EXPECT_EQ(ended.flow.packets, before + 1);
        }
        before = ended.flow.packets;
      });
    }
    over = true;
  });
  for (std::uint64_t n = 1; !over; ++n) {
    history.add(flow_of(n), EndReason::kClosed, kStart);
    const std::lock_guard lock(mutex);
    shown = history.share();
  }
}

FlowRecord record(std::uint16_t port, std::int64_t first_ns, std::int64_t last_ns) {
  return {.key = {.src_port = port},
          .packets = 1,
          .incarnation = 1,
          .first_seen_ns = first_ns,
          .last_seen_ns = last_ns};
}

std::vector<unsigned> ports_in(const FlowSet& flows) {
  std::vector<unsigned> ports;
  flows.for_each([&](const Flow& flow) { ports.push_back(flow.key.src_port); });
  return ports;
}

TEST(FlowSet, HasTheFlowsOfItsPeriodAliveOrEnded) {
  FlowTable table({});
  table.apply(record(1, kStart, kStart + 5), [](const FlowRecord&) { return FlowOwners{}; });
  table.apply(record(2, kStart, kStart + 50), [](const FlowRecord&) { return FlowOwners{}; });
  FlowHistory history({}, kStart);
  for (const std::uint16_t port : {3, 4}) {
    Flow ended;
    ended.key.src_port = port;
    ended.first_seen_ns = kStart + 10 * port;
    ended.last_seen_ns = ended.first_seen_ns + 5;
    history.add(ended, EndReason::kClosed, kStart + 100 * port);
  }
  const FlowView view{.live = table.share(), .history = history.share()};
  EXPECT_THAT(ports_in({view, {}}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ports_in({view, {.since_ns = kStart + 36}}), ElementsAre(2, 4));
  EXPECT_THAT(ports_in({view, {.until_ns = kStart + 30}}), ElementsAre(1, 2, 3));
  EXPECT_THAT(ports_in({view, {.ended_since_ns = kStart + 301}}), ElementsAre(1, 2, 4));
  EXPECT_THAT(ports_in(FlowSet(*view.live)), ElementsAre(1, 2));
}

}  // namespace
}  // namespace orb8
