// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/event_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "core/base/eventually.h"
#include "core/source/scripted_source.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

FlowRecord record(std::uint16_t port, std::uint64_t packets, std::int64_t ago_ns = 0) {
  return {.key = {.src_port = port, .dst_port = 80, .protocol = IPPROTO_TCP},
          .packets = packets,
          .bytes = 100 * packets,
          .incarnation = 1,
          .first_seen_ns = now_ns() - ago_ns,
          .last_seen_ns = now_ns() - ago_ns};
}

constexpr std::int64_t kSecond = 1'000'000'000;

FlowRecord closed(std::uint16_t port, std::uint64_t packets, std::int64_t ago_ns) {
  auto flow = record(port, packets, ago_ns);
  flow.tcp_flags = kTcpFin;
  return flow;
}

class EventFeedTest : public ::testing::Test {
 protected:
  EventFeedTest() {
    config_.snapshot_interval_ms = 100;
    config_.poll_interval_ms = 1;
    config_.broadcast_channel_size = 100'000;
  }

  void start() { pipeline_ = *Pipeline::start(config_, std::make_unique<ScriptedSource>(script_)); }

  std::vector<Event> told(const ReplayChoice& choice) {
    auto feed = *EventFeed::open(*pipeline_, {.history = choice, .follow = false});
    std::vector<Event> events;
    for (bool ended = false; !ended;) {
      auto batch = feed.next(kPatience);
      events.insert(events.end(), batch.events.begin(), batch.events.end());
      ended = batch.ended;
    }
    return events;
  }
  std::vector<unsigned> ports(const ReplayChoice& choice) {
    std::vector<unsigned> ports;
    for (const auto& event : told(choice)) ports.push_back(event.flow.key.src_port);
    return ports;
  }

  // Two that have ended, and one alive.
  void set_three() {
    script_.set_flow(closed(1, 5, 30 * kSecond));
    script_.set_flow(closed(2, 6, 20 * kSecond));
    script_.set_flow(record(3, 7));
    start();
    EXPECT_TRUE(eventually([&] { return pipeline_->view(true).history->size() == 2; }));
  }

  Config config_;
  Script script_;
  std::unique_ptr<Pipeline> pipeline_;
};

TEST_F(EventFeedTest, TellsWhatHasEndedAndWhatIsAliveInTheirOrderAndEnds) {
  set_three();
  const auto events = told({});
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, EventKind::kFlowEnd);
  EXPECT_EQ(events[0].end_reason, EndReason::kClosed);
  EXPECT_EQ(events[0].packets, 5U);
  EXPECT_EQ(events[1].packets, 6U);
  EXPECT_EQ(events[2].kind, EventKind::kFlowUpdate);
  EXPECT_EQ(events[2].packets, 7U);
  EXPECT_EQ(events[2].flow.packets, 7U);
  EXPECT_EQ(pipeline_->status().subscribers, 0U) << "nobody listens";
}

TEST_F(EventFeedTest, TellsTheLatestTheEarliestOrThoseOfAPeriod) {
  set_three();
  EXPECT_THAT(ports({}), ElementsAre(1, 2, 3));
  EXPECT_THAT(ports({.last = 2}), ElementsAre(2, 3));
  EXPECT_THAT(ports({.first = 2}), ElementsAre(1, 2));
  EXPECT_THAT(ports({.last = 9}), ElementsAre(1, 2, 3));
  EXPECT_THAT(ports({.period = {.since_ns = now_ns() - 25 * kSecond}}), ElementsAre(2, 3));
  EXPECT_THAT(ports({.period = {.until_ns = now_ns() - 25 * kSecond}}), ElementsAre(1));
}

// What it was at that time nobody knows any more.
TEST_F(EventFeedTest, LeavesOutWhatMovedAfterThePeriod) {
  auto grown = record(4, 8, 60 * kSecond);
  grown.last_seen_ns = now_ns();
  script_.set_flow(grown);
  set_three();
  EXPECT_THAT(ports({.period = {.until_ns = now_ns() - 15 * kSecond}}), ElementsAre(1, 2));
}

TEST_F(EventFeedTest, TellsTheEndOfWhatIsOverThoughItsRowIsStillThere) {
  auto over = record(1, 5);
  over.life = FlowLife::kClosed;
  over.key.socket = 7;
  script_.set_flow(over);
  start();
  const auto events = told({});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kFlowEnd);
  EXPECT_EQ(events[0].end_reason, EndReason::kClosed);
}

TEST_F(EventFeedTest, GoesOnWithWhatHappens) {
  set_three();
  auto feed = *EventFeed::open(*pipeline_, {.history = ReplayChoice{.last = 1}, .follow = true});
  EXPECT_TRUE(feed.replays());
  auto batch = feed.next(kPatience);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].flow.key.src_port, 3U);
  EXPECT_FALSE(feed.replays());
  script_.set_flow(record(3, 10));
  batch = feed.next(kPatience);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].packets, 3U) << "what the history had is not told again";
  EXPECT_FALSE(batch.ended);
}

TEST_F(EventFeedTest, EndsWithThePipeline) {
  set_three();
  auto feed = *EventFeed::open(*pipeline_, {.history = ReplayChoice{}, .follow = true});
  pipeline_->stop();
  EXPECT_FALSE(feed.next(kPatience).events.empty());
  EXPECT_TRUE(feed.next(kPatience).ended);
}

// Flows start, move and end all the time while streams begin. Whatever the moment was, what a
// stream tells of a flow adds up to all that it moved.
TEST_F(EventFeedTest, MissesNothingAndTellsNothingTwiceWhileFlowsMove) {
  constexpr std::uint16_t kFlows = 40;
  start();
  std::uint64_t packets = 1;
  std::jthread mover([&](const std::stop_token& enough) {
    for (; !enough.stop_requested(); ++packets) {
      for (std::uint16_t port = 1; port <= kFlows; ++port) script_.set_flow(record(port, packets));
    }
    for (std::uint16_t port = 1; port <= kFlows; ++port) script_.set_flow(closed(port, packets, 0));
  });
  using Moved = std::map<unsigned, std::uint64_t>;
  const auto follow = [&](EventFeed feed, Moved& moved) {
    for (std::size_t ended = 0; ended < kFlows;) {
      const auto batch = feed.next(kPatience);
      ASSERT_FALSE(batch.ended);
      ASSERT_EQ(batch.dropped_before, 0U);
      for (const auto& event : batch.events) {
        moved[event.flow.key.src_port] += event.packets;
        ended += event.kind == EventKind::kFlowEnd ? 1 : 0;
      }
    }
  };
  std::array<Moved, 12> told;
  std::vector<std::jthread> readers;
  for (auto& moved : told) {
    auto feed = EventFeed::open(*pipeline_, {.history = ReplayChoice{}, .follow = true});
    ASSERT_TRUE(feed);
    readers.emplace_back(follow, std::move(*feed), std::ref(moved));
    // The next begins in the midst of another snapshot.
    const auto processed = pipeline_->status().events_processed;
    EXPECT_TRUE(eventually([&] { return pipeline_->status().events_processed > processed; }));
  }
  mover.request_stop();
  mover.join();
  readers.clear();
  for (const auto& moved : told) {
    EXPECT_EQ(moved.size(), kFlows);
    for (const auto& [port, sum] : moved) EXPECT_EQ(sum, packets) << port;
  }
}

TEST_F(EventFeedTest, TellsNothingOfWhatDoesNotMatch) {
  set_three();
  auto feed = *EventFeed::open(*pipeline_, {.selection = {.all = {.either = {.ports = {{9, 9}}}}},
                                            .history = ReplayChoice{},
                                            .follow = false});
  const auto batch = feed.next(kPatience);
  EXPECT_THAT(batch.events, IsEmpty());
  EXPECT_TRUE(batch.ended);
}

}  // namespace
}  // namespace orb8
