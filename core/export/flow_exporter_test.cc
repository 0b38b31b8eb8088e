// SPDX-License-Identifier: Apache-2.0
#include "core/export/flow_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "core/base/eventually.h"
#include "core/base/log_capture.h"
#include "core/export/recording_sink.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Clock = Exporter::Clock;

std::int64_t now_ns() {
  return std::chrono::system_clock::now().time_since_epoch() / 1ns;
}

FlowKey key_of(std::uint16_t port) {
  return {.src_port = port, .dst_port = 80, .protocol = 6};
}

Event end_of(std::uint16_t port, std::uint64_t bytes = 1) {
  Event event;
  event.kind = EventKind::kFlowEnd;
  event.end_reason = EndReason::kIdle;
  event.flow.key = key_of(port);
  event.flow.bytes = bytes;
  return event;
}

class FlowExporterTest : public ::testing::Test {
 protected:
  void start(std::size_t capacity = 1000, std::chrono::nanoseconds interval = 1h) {
    auto tally = std::make_shared<ExportTally>("test", "nowhere");
    exporter_ = std::make_unique<FlowExporter>(
        FlowExporter::Parts{.ends = *hub_.subscribe(FlowExporter::wanted_events(capacity)),
                            .flows =
                                [this] {
                                  const std::lock_guard lock(mutex_);
                                  return table_.share();
                                },
                            .sink = std::make_unique<RecordingSink>(script_, tally),
                            .tally = tally},
        FlowExporter::Options{.interval = interval, .lag = 0ns, .calm = 200ms});
  }

  void move(std::uint16_t port, std::uint64_t bytes, FlowLife life = FlowLife::kByPackets) {
    const std::lock_guard lock(mutex_);
    table_.apply({.key = key_of(port),
                  .life = life,
                  .packets = bytes,
                  .bytes = bytes,
                  .incarnation = 1,
                  .first_seen_ns = now_ns(),
                  .last_seen_ns = now_ns()},
                 [](const FlowRecord&) { return FlowOwners{}; });
  }

  // As an agent ends: the pipeline first.
  void finish(std::chrono::milliseconds time = 20s) {
    hub_.close();
    exporter_->stop_by(Clock::now() + time);
  }

  std::map<std::uint16_t, std::vector<std::uint64_t>> bytes_told() const {
    std::map<std::uint16_t, std::vector<std::uint64_t>> all;
    for (const auto& record : script_.records()) {
      all[record.flow.key.src_port].push_back(record.flow.bytes);
    }
    return all;
  }

  SinkScript script_;
  StreamHub hub_{1};
  std::mutex mutex_;
  FlowTable table_{{}};
  std::unique_ptr<FlowExporter> exporter_;
};

TEST_F(FlowExporterTest, HandsOverTheEndOfEachFlow) {
  start();
  for (std::uint16_t port = 1; port <= 3; ++port) hub_.publish(end_of(port, port));
  ASSERT_TRUE(eventually([&] { return script_.count() == 3; }));
  EXPECT_EQ(bytes_told(),
            (std::map<std::uint16_t, std::vector<std::uint64_t>>{{1, {1}}, {2, {2}}, {3, {3}}}));
  EXPECT_EQ(script_.records()[0].end_reason, EndReason::kIdle);
  EXPECT_EQ(exporter_->status().exported, 3U);
  EXPECT_TRUE(exporter_->status().healthy);
}

TEST_F(FlowExporterTest, TellsOfThoseThatLiveOnEachIntervalInWhichTheyMoved) {
  move(1, 10);
  start(1000, 50ms);
  ASSERT_TRUE(eventually([&] { return script_.count() == 1; }));
  const auto before = script_.intervals();
  ASSERT_TRUE(eventually([&] { return script_.intervals() > before + 2; }));
  EXPECT_EQ(script_.count(), 1U) << "it did not move";
  move(1, 25);
  move(2, 7);
  ASSERT_TRUE(eventually([&] { return script_.count() == 3; }));
  EXPECT_EQ(bytes_told(),
            (std::map<std::uint16_t, std::vector<std::uint64_t>>{{1, {10, 25}}, {2, {7}}}));
}

TEST_F(FlowExporterTest, TellsAllThatMovedSinceWhenItEnds) {
  constexpr std::uint16_t kFlows = 5000;  // several parts of the table
  start();
  for (std::uint16_t port = 1; port <= kFlows; ++port) move(port, port);
  move(kFlows + 1, 5, FlowLife::kClosed);  // its end was told when it closed
  hub_.publish(end_of(kFlows + 1, 5));
  finish();
  const auto told = bytes_told();
  EXPECT_EQ(told.size(), kFlows + 1U);
  for (const auto& [port, bytes] : told) EXPECT_EQ(bytes.size(), 1U) << port;
}

TEST_F(FlowExporterTest, TellsAgainWhatASinkCouldNotTake) {
  move(1, 10);
  script_.refuse(true);
  start(1000, 20ms);
  ASSERT_TRUE(eventually([&] { return exporter_->status().failed > 2; }));
  script_.refuse(false);
  ASSERT_TRUE(eventually([&] { return script_.count() == 1; }));
}

TEST_F(FlowExporterTest, CountsExactlyWhatItsQueueHasNoRoomFor) {
  constexpr std::uint16_t kEnds = 500;
  script_.hang(true);
  start(20);
  hub_.publish(end_of(1));
  ASSERT_TRUE(eventually([&] { return script_.is_hanging(); }));
  for (std::uint16_t port = 2; port <= kEnds; ++port) hub_.publish(end_of(port));
  script_.hang(false);
  finish();
  const auto status = exporter_->status();
  EXPECT_EQ(status.exported, 21U) << "the one that was in its hands, and the queue";
  EXPECT_EQ(status.exported + status.dropped, kEnds);
  EXPECT_TRUE(bytes_told().contains(kEnds)) << "the oldest go first";
}

// However long it takes to hand over what it took last: the rest of the queue keeps its places.
TEST_F(FlowExporterTest, TakesNoMoreThanABatchOutOfItsQueueAtOnce) {
  constexpr std::size_t kCapacity = 1000;
  constexpr std::size_t kBatch = 512;
  std::uint16_t port = 0;
  const auto publish = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) hub_.publish(end_of(++port));
  };
  script_.hang(true);
  start(kCapacity);
  publish(1);
  ASSERT_TRUE(eventually([&] { return script_.is_hanging(); }));
  publish(kCapacity);
  script_.let_one_pass();
  ASSERT_TRUE(eventually([&] { return script_.count() == 1 && script_.is_hanging(); }));
  publish(kCapacity);
  script_.hang(false);
  finish();
  const auto status = exporter_->status();
  EXPECT_EQ(status.exported, 1 + kBatch + kCapacity) << "told, in its hands, and queued";
  EXPECT_EQ(status.dropped, kCapacity - kBatch);
}

// A receiver that is slow but well says nothing of what it makes the queue lose.
TEST_F(FlowExporterTest, IsUnwellWhileItsQueueOverflowsAndSaysSoOnce) {
  const LogCapture log;
  script_.hang(true);
  start(20);
  hub_.publish(end_of(1));
  ASSERT_TRUE(eventually([&] { return script_.is_hanging(); }));
  for (int round = 0; round < 3; ++round) {
    const auto dropped = exporter_->status().dropped;
    for (std::uint16_t port = 2; port <= 50; ++port) hub_.publish(end_of(port));
    script_.let_one_pass();
    ASSERT_TRUE(eventually([&] { return exporter_->status().dropped > dropped; }));
    ASSERT_TRUE(eventually([&] { return script_.is_hanging(); }));
  }
  EXPECT_FALSE(exporter_->status().healthy);
  EXPECT_THAT(exporter_->status().reason, HasSubstr("export_queue_size"));
  const auto said = log.text();
  EXPECT_EQ(said.find("export_queue_size"), said.rfind("export_queue_size")) << said;
  script_.hang(false);
  EXPECT_TRUE(eventually([&] { return exporter_->status().healthy; })) << "calm for a while";
  EXPECT_EQ(exporter_->status().reason, "");
  EXPECT_THAT(log.text(), HasSubstr("Export test goes on"));
}

TEST_F(FlowExporterTest, HandsOverAllBatchesOfItsQueueBeforeItEnds) {
  constexpr std::uint16_t kEnds = 5000;
  script_.hang(true);
  start(kEnds);
  for (std::uint16_t port = 1; port <= kEnds; ++port) hub_.publish(end_of(port));
  exporter_->begin_stop();  // with the hub still open
  script_.hang(false);
  finish();
  EXPECT_EQ(exporter_->status().exported, kEnds);
}

TEST_F(FlowExporterTest, HarmsNobodyElseWhileItHangs) {
  constexpr std::uint16_t kEnds = 2000;
  script_.hang(true);
  start(10);
  auto other = *hub_.subscribe({.capacity = kEnds});
  hub_.publish(end_of(1));
  ASSERT_TRUE(eventually([&] { return script_.is_hanging(); }));
  for (std::uint16_t port = 2; port <= kEnds; ++port) hub_.publish(end_of(port));
  EXPECT_EQ(other.next(0s).events.size(), kEnds);
  EXPECT_EQ(other.dropped(), 0U);
  script_.hang(false);
}

TEST_F(FlowExporterTest, EndsAtTheDeadlineWithASinkThatHangsAndCountsWhatIsLeft) {
  script_.hang(true);
  start(100);
  hub_.publish(end_of(1));
  ASSERT_TRUE(eventually([&] { return script_.is_hanging(); }));
  for (std::uint16_t port = 2; port <= 50; ++port) hub_.publish(end_of(port));
  const auto began = Clock::now();
  finish(200ms);
  EXPECT_GE(Clock::now() - began, 200ms) << "it had that long";
  EXPECT_LT(Clock::now() - began, 10s);
  EXPECT_EQ(exporter_->status().dropped, 50U);
}

}  // namespace
}  // namespace orb8
