// What becomes of records that tell of a socket's two flows, through a whole pipeline.
// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/flow_path.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <variant>

#include "core/pipeline/pipeline_fixture.h"

namespace orb8 {
namespace {

using FlowPathTest = PipelineTest;

// As the counters of a socket that is read while it goes on.
TEST_F(FlowPathTest, TellsBytesThatCameWithoutAPacket) {
  const auto pipeline = start();
  auto events = *pipeline->subscribe({}, false);
  auto flow = record(1, 5);
  script_.set_flow(flow);
  EXPECT_EQ(events.next(kPatience).events.at(0).bytes, 500U);
  flow.bytes += 1000;
  script_.set_flow(flow);
  const auto update = events.next(kPatience).events.at(0);
  EXPECT_EQ(update.kind, EventKind::kFlowUpdate);
  EXPECT_EQ(update.packets, 0U);
  EXPECT_EQ(update.bytes, 1000U);
  flow.payload_bytes = 700;
  script_.set_flow(flow);
  EXPECT_EQ(events.next(kPatience).events.at(0).flow.payload_bytes, 700U);
}

// Of a short connection what was received pushes out what was sent, as closed flows go first.
TEST_F(FlowPathTest, CountsAConnectionOnceWhereItsFlowsPushEachOtherOut) {
  config_.snapshot_interval_ms = 60'000;
  auto open = record(9, 1);
  open.life = FlowLife::kOpen;
  open.key.socket = 9;
  script_.set_flow(open);
  const auto pipeline = start();
  auto sent = record(1, 5);
  sent.key.direction = Direction::kEgress;
  sent.key.socket = 7;
  sent.life = FlowLife::kClosed;
  auto received = sent;
  received.key.direction = Direction::kIngress;
  std::swap(received.key.src, received.key.dst);
  std::swap(received.key.src_port, received.key.dst_port);
  script_.set_flow(sent);
  script_.set_flow(received);
  pipeline->stop();
  pipeline->flows()->for_each([&](const Flow& flow) { EXPECT_NE(flow.key, sent.key); });
  std::uint64_t connections = 0;
  pipeline->collect_metrics(
      [&](const MetricFamily& family) {
        if (family.info.name != "orb8_network_connections_total") return;
        for (const auto& sample : family.samples) {
          connections += std::get<std::uint64_t>(sample.value);
        }
      },
      [](Status&) {});
  EXPECT_EQ(connections, 1U);
}

}  // namespace
}  // namespace orb8
