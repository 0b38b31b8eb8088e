// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "core/base/eventually.h"
#include "core/pipeline/pipeline_fixture.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

TEST_F(PipelineTest, HasTakenASnapshotWhenItIsStarted) {
  script_.set_flow(record(1, 5));
  const auto pipeline = start();
  EXPECT_EQ(pipeline->flows()->size(), 1U);
}

TEST_F(PipelineTest, TellsAFlowsStartItsMovesAndItsEnd) {
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  auto flow = record(1, 5);
  flow.tcp_flags = kTcpSyn;
  script_.set_flow(flow);
  auto batch = events.next(kPatience);
  ASSERT_THAT(batch.events, SizeIs(1));
  EXPECT_EQ(batch.events[0].kind, EventKind::kFlowStart);
  EXPECT_EQ(batch.events[0].packets, 5U);

  flow.packets = 8;
  flow.last_seen_ns = wall_now_ns() - 10'000'000'000;  // silent since
  flow.tcp_flags = kTcpSyn | kTcpFin;
  script_.set_flow(flow);
  batch = events.next(kPatience);
  ASSERT_FALSE(batch.events.empty());
  EXPECT_EQ(batch.events[0].kind, EventKind::kFlowUpdate);
  EXPECT_EQ(batch.events[0].packets, 3U);
  EXPECT_EQ(batch.events[0].flow.packets, 8U);

  const auto end = batch.events.size() > 1 ? batch.events[1] : events.next(kPatience).events.at(0);
  EXPECT_EQ(end.kind, EventKind::kFlowEnd);
  EXPECT_EQ(end.end_reason, EndReason::kClosed);
  EXPECT_EQ(end.flow.packets, 8U);
  EXPECT_EQ(script_.flows(), 0U) << "its entry is out of the kernel";
}

TEST_F(PipelineTest, LooksForIdleFlowsAtItsInterval) {
  config_.flow_timeout_secs = 1;
  config_.expiration_interval_secs = 1;
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  script_.set_flow(record(1, 5));
  EXPECT_EQ(events.next(kPatience).events.at(0).kind, EventKind::kFlowStart);
  const auto end = events.next(kPatience).events.at(0);
  EXPECT_EQ(end.kind, EventKind::kFlowEnd);
  EXPECT_EQ(end.end_reason, EndReason::kIdle);
}

TEST_F(PipelineTest, EndsEvictedFlowsInTheKernelToo) {
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  for (std::uint16_t port = 1; port <= 3; ++port) script_.set_flow(record(port, 1));
  EXPECT_TRUE(eventually([&] { return script_.flows() == 2; }));
  EXPECT_TRUE(eventually([&] { return pipeline->status().flows_evicted > 0; }));
  EXPECT_FALSE(pipeline->status().healthy());
  EXPECT_EQ(pipeline->flows()->size(), 2U);
}

// It is pushed out before the snapshot comes to its entry, which has moved on.
TEST_F(PipelineTest, CountsAnEvictedFlowsLastWords) {
  config_.max_flows = 1;
  config_.snapshot_interval_ms = 60'000;
  script_.count_by_table();
  script_.set_flow(record(2, 5));
  const auto pipeline = start();
  script_.set_first_flow(record(1, 1));
  script_.set_flow(record(2, 9));
  pipeline->stop();
  std::uint64_t packets = 0;
  pipeline->flows()->for_each([&](const Flow& flow) { packets += flow.packets; });
  pipeline->view(true).history->for_each(
      [&](const EndedFlow& flow) { packets += flow.flow.packets; });
  EXPECT_EQ(packets, 9U + 1);
  EXPECT_EQ(pipeline->status().source.accounting.counted.packets, packets);
}

TEST_F(PipelineTest, TellsAnEvictedFlowsLastWords) {
  config_.snapshot_interval_ms = 60'000;
  script_.set_flow(record(1, 5));
  script_.set_flow(record(2, 5));
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  script_.set_flow(record(3, 1));  // pushes out the first, ...
  auto moved = record(1, 9);       // ... which is collected after it, so 2 must go as well
  script_.set_flow(moved);
  pipeline->stop();
  std::uint64_t ended = 0;
  std::uint64_t started = 0;
  for (const auto& event : events.next(kPatience).events) {
    if (event.kind == EventKind::kFlowEnd) ended += event.flow.packets;
    if (event.kind != EventKind::kFlowEnd) started += event.packets;
  }
  std::uint64_t alive = 0;
  pipeline->flows()->for_each([&](const Flow& flow) { alive += flow.packets; });
  EXPECT_EQ(alive + ended, 5U + 5 + 4 + 1) << "nothing that moved is missing";
  std::uint64_t remembered = 0;
  pipeline->view(true).history->for_each([&](const EndedFlow& flow) {
    EXPECT_EQ(flow.flow.end_reason, EndReason::kEvicted);
    remembered += flow.flow.packets;
  });
  EXPECT_EQ(remembered, ended) << "with their last words";
  EXPECT_EQ(started, 4U + 1);
}

// By port, how many flows and how many packets.
std::map<unsigned, std::pair<int, std::uint64_t>> all_in(const FlowView& view) {
  std::map<unsigned, std::pair<int, std::uint64_t>> all;
  FlowSet(view, {}).for_each([&](const Flow& flow) {
    auto& [count, packets] = all[flow.key.src_port];
    ++count;
    packets += flow.packets;
  });
  return all;
}

TEST_F(PipelineTest, HasEveryFlowOnceInTheTableOrInTheHistory) {
  constexpr std::uint16_t kFlows = 2'000;
  config_.max_flows = 50;
  const auto pipeline = start();
  std::jthread sender([&] {
    for (std::uint16_t port = 1; port <= kFlows; ++port) script_.set_flow(record(port, port));
  });
  std::size_t most = 0;
  EXPECT_TRUE(eventually([&] {
    const auto all = all_in(pipeline->view(true));
    EXPECT_GE(all.size(), most) << "some are in neither";
    most = all.size();
    for (const auto& [port, seen] : all) {
      EXPECT_EQ(seen.first, 1) << port << " is in both";
      EXPECT_EQ(seen.second, port);
    }
    return most == kFlows;
  }));
  EXPECT_EQ(pipeline->status().history_overwritten, 0U);
}

TEST_F(PipelineTest, RemembersWhyAndWhenAFlowEnded) {
  const auto pipeline = start();
  const auto before = pipeline->view(true).taken_ns;
  auto flow = record(1, 5);
  flow.tcp_flags = kTcpFin;
  flow.last_seen_ns = wall_now_ns() - 10'000'000'000;
  script_.set_flow(flow);
  FlowView view;
  EXPECT_TRUE(eventually([&] {
    view = pipeline->view(true);
    return view.history->size() == 1;
  }));
  EXPECT_EQ(view.live->size(), 0U);
  view.history->for_each([&](const EndedFlow& ended) {
    EXPECT_EQ(ended.flow.end_reason, EndReason::kClosed);
    EXPECT_EQ(ended.flow.packets, 5U);
    EXPECT_GT(ended.ended_ns, before);
    EXPECT_LT(ended.ended_ns, view.taken_ns);
  });
  EXPECT_TRUE(eventually([&] { return pipeline->status().history_flows == 1; }));
  EXPECT_EQ(pipeline->view(false).history, nullptr);
}

TEST_F(PipelineTest, ForgetsEndedFlowsAtTheirAge) {
  config_.history_secs = 1;
  const auto pipeline = start();
  auto flow = record(1, 5);
  flow.tcp_flags = kTcpFin;
  flow.last_seen_ns = wall_now_ns() - 10'000'000'000;
  script_.set_flow(flow);
  const auto remembered = [&] { return pipeline->status().history_flows; };
  EXPECT_TRUE(eventually([&] { return remembered() == 1; }));
  EXPECT_TRUE(eventually([&] { return remembered() == 0; }));
  EXPECT_EQ(pipeline->status().history_overwritten, 0U);
}

TEST_F(PipelineTest, KeepsItsHistoryForThoseWhoAskAfterItsEnd) {
  const auto pipeline = start();
  for (std::uint16_t port = 1; port <= 3; ++port) script_.set_flow(record(port, 1));
  pipeline->stop();
  EXPECT_EQ(all_in(pipeline->view(true)).size(), 3U);
}

// Flow 1 is pushed out by flow 3 in the midst of a snapshot that reads its own entry after that.
TEST_F(PipelineTest, CountsNothingTwiceWhenASnapshotComesToWhatItHasEvicted) {
  script_.set_flow(record(3, 0));
  script_.set_flow(record(1, 5));
  script_.set_flow(record(2, 5));
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  script_.set_flow(record(1, 7));
  script_.set_flow(record(2, 6));
  script_.set_flow(record(3, 4));
  std::uint64_t ended = 0;
  bool gone = false;
  EXPECT_TRUE(eventually([&] {
    for (const auto& event : events.next(1s).events) {
      if (event.kind != EventKind::kFlowEnd || event.flow.key.src_port != 1) continue;
      ended += event.flow.packets;
      gone = true;
    }
    return gone;
  }));
  pipeline->stop();
  std::uint64_t alive = 0;
  pipeline->flows()->for_each([&](const Flow& flow) {
    if (flow.key.src_port == 1) alive += flow.packets;
  });
  EXPECT_EQ(ended + alive, 7U);
}

TEST_F(PipelineTest, ClosesTheFlowsOfSocketsThatAreGoneWithoutAWord) {
  auto lost = record(1, 5);
  lost.key.socket = 11;
  lost.life = FlowLife::kOpen;
  auto left = record(2, 5);
  left.key.socket = 22;
  left.life = FlowLife::kOpen;
  script_.set_flow(lost);
  script_.set_flow(left);
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  script_.set_living_sockets({22});
  const auto end = events.next(kPatience).events.at(0);
  EXPECT_EQ(end.kind, EventKind::kFlowEnd);
  EXPECT_EQ(end.end_reason, EndReason::kClosed);
  EXPECT_EQ(end.flow.key.socket, 11U);
  EXPECT_EQ(end.flow.packets, 5U);
  EXPECT_TRUE(eventually([&] { return pipeline->status().flows_ended_unseen == 1; }));
  EXPECT_FALSE(pipeline->status().healthy()) << "what it moved last is missing";
}

TEST_F(PipelineTest, ClosesNoFlowForASnapshotThatFailed) {
  auto open = record(1, 5);
  open.key.socket = 11;
  open.life = FlowLife::kOpen;
  script_.set_flow(open);
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  script_.fail_with("walk the sockets: Input/output error");
  script_.set_living_sockets({});
  EXPECT_TRUE(eventually([&] { return !pipeline->status().healthy(); }));
  EXPECT_THAT(events.next(10 * std::chrono::milliseconds(config_.snapshot_interval_ms)).events,
              IsEmpty());
  script_.fail_with("");
  EXPECT_EQ(events.next(kPatience).events.at(0).kind, EventKind::kFlowEnd);
}

TEST_F(PipelineTest, EndsThoughPacketsNeverDo) {
  config_.max_batch_size = 1;
  const auto pipeline = start();
  auto packets = *pipeline->subscribe({}, true);
  std::jthread flood([&](const std::stop_token& enough) {
    Event packet;
    packet.kind = EventKind::kPacket;
    while (!enough.stop_requested()) script_.send_packet(packet);
  });
  packets.next(kPatience);
  pipeline->stop();
  EXPECT_THAT(script_.wanted_packets(), IsEmpty());
}

TEST_F(PipelineTest, AsksForPacketsOnlyWhileSomebodyListens) {
  const auto pipeline = start();
  EXPECT_THAT(script_.wanted_packets(), IsEmpty());
  {
    auto packets = *pipeline->subscribe({.all = {.either = {.ports = {{53, 53}}}}}, true);
    EXPECT_TRUE(eventually([&] { return script_.wanted_packets().size() == 1; }));
    EXPECT_EQ(script_.wanted_packets()[0].ports, (PortRange{53, 53}));
  }
  EXPECT_TRUE(eventually([&] { return script_.wanted_packets().empty(); }));
}

TEST_F(PipelineTest, SaysWhyThereAreNoPacketsAndAsksAgain) {
  script_.refuse_packets("attach tcx to eth0: Operation not permitted");
  const auto pipeline = start();
  const auto refusal = [&] {
    for (const auto& component : pipeline->status().components) {
      if (component.name == "packet-events" && !component.healthy) return component.reason;
    }
    return std::string();
  };
  auto packets = *pipeline->subscribe({.all = {.either = {.ports = {{53, 53}}}}}, true);
  EXPECT_TRUE(eventually([&] { return !refusal().empty(); }));
  EXPECT_EQ(refusal(), "attach tcx to eth0: Operation not permitted");
  script_.refuse_packets("");
  EXPECT_TRUE(eventually([&] { return script_.wanted_packets().size() == 1; }));
  EXPECT_TRUE(eventually([&] { return refusal().empty(); }));
}

TEST_F(PipelineTest, BringsPacketsOfABurstInBatchesWithoutLosingAny) {
  config_.max_batch_size = 7;
  config_.broadcast_channel_size = 1000;
  const auto pipeline = start();
  auto packets = *pipeline->subscribe({}, true);
  Event packet;
  packet.kind = EventKind::kPacket;
  for (int i = 0; i < 500; ++i) script_.send_packet(packet);
  std::size_t got = 0;
  EXPECT_TRUE(eventually([&] { return (got += packets.next(10ms).events.size()) >= 500; }));
  EXPECT_EQ(got, 500U);
}

class PipelineRings : public PipelineTest {
 protected:
  PipelineRings() {
    config_.snapshot_interval_ms = 60'000;
    config_.poll_interval_ms = 60'000;
  }
  // The pipeline's thread waits again: it obeyed two orders, and obeys before it drains.
  static void let_it_wait(Pipeline& pipeline, const Script& script) {
    for (const std::uint16_t port : {1, 2}) {
      pipeline.leave_out_port(port);
      EXPECT_TRUE(eventually([&] { return script.left_out_port() == port; }));
    }
  }
};

TEST_F(PipelineRings, GatherThoughTwoWakeAtOnce) {
  script_.send_packet({});
  script_.wake_other_ring();
  const auto pipeline = start();
  let_it_wait(*pipeline, script_);
  EXPECT_EQ(script_.waiting_packets(), 1U) << "each ring's first record may wait";
}

TEST_F(PipelineRings, AreDrainedAtOnceWhenOneWakesAgain) {
  const auto pipeline = start();
  script_.send_packet({});
  let_it_wait(*pipeline, script_);
  EXPECT_EQ(script_.waiting_packets(), 1U);
  script_.send_packet({});
  EXPECT_TRUE(eventually([&] { return script_.waiting_packets() == 0; }));
}

// Else each record that finds its ring empty would be a batch of its own.
TEST_F(PipelineRings, GatherAgainOnceTheyWereDrained) {
  const auto pipeline = start();
  script_.send_packet({});
  let_it_wait(*pipeline, script_);
  script_.send_packet({});
  EXPECT_TRUE(eventually([&] { return script_.waiting_packets() == 0; }));
  let_it_wait(*pipeline, script_);
  script_.send_packet({});
  let_it_wait(*pipeline, script_);
  EXPECT_EQ(script_.waiting_packets(), 1U);
}

TEST_F(PipelineTest, IsDegradedWhilePacketsAreLost) {
  Accounting accounting;
  accounting.lost.packets = 12;
  script_.set_accounting(accounting);
  const auto pipeline = start();
  const auto status = pipeline->status();
  EXPECT_FALSE(status.healthy());
  EXPECT_EQ(status.events_dropped, 12U);
  for (const auto& component : status.components) {
    if (component.healthy) continue;
    EXPECT_THAT(component.reason, HasSubstr("12 packets lost"));
  }
}

TEST_F(PipelineTest, SaysWhyFlowsCannotBeReadAndRecovers) {
  const auto pipeline = start();
  script_.fail_with("read the flow map: Input/output error");
  EXPECT_TRUE(eventually([&] { return !pipeline->status().healthy(); }));
  EXPECT_EQ(pipeline->status().components.at(0).reason, "read the flow map: Input/output error");
  script_.fail_with("");
  EXPECT_TRUE(eventually([&] { return pipeline->status().healthy(); }));
}

TEST_F(PipelineTest, TellsHowLongItHasStoodStill) {
  const auto pipeline = start();
  {
    const auto hanging = script_.hang();
    EXPECT_TRUE(eventually([&] { return pipeline->standstill() > 500ms; }));
  }
  EXPECT_TRUE(eventually([&] { return pipeline->standstill() < 100ms; }));
}

TEST_F(PipelineTest, PassesTheAgentsOwnPortOn) {
  const auto pipeline = start();
  pipeline->leave_out_port(9090);
  EXPECT_TRUE(eventually([&] { return script_.left_out_port() == 9090; }));
}

TEST_F(PipelineTest, TakesALastSnapshotWhenItStops) {
  config_.snapshot_interval_ms = 60'000;  // none of its own comes in between
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  script_.set_flow(record(1, 5));
  pipeline->stop();
  pipeline->stop();
  const auto batch = events.next(kPatience);
  EXPECT_THAT(batch.events, SizeIs(1));
  EXPECT_TRUE(batch.ended);
  EXPECT_EQ(pipeline->flows()->size(), 1U);
  EXPECT_FALSE(pipeline->subscribe({}, false));
}

}  // namespace
}  // namespace orb8
