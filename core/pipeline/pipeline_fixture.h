// For tests: a pipeline of few flows and quick snapshots, over a source that does as it is told.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/pipeline/pipeline.h"
#include "core/source/scripted_source.h"

namespace orb8 {

inline constexpr auto kPatience = std::chrono::seconds(20);

inline FlowRecord record(std::uint16_t port, std::uint64_t packets, std::uint64_t incarnation = 1) {
  return {.key = {.src = Addr::v4(10, 0, 0, 1),
                  .dst = Addr::v4(10, 0, 0, 2),
                  .src_port = port,
                  .dst_port = 80,
                  .protocol = IPPROTO_TCP},
          .packets = packets,
          .bytes = 100 * packets,
          .incarnation = incarnation,
          .first_seen_ns = wall_now_ns(),
          .last_seen_ns = wall_now_ns()};
}

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    config_.snapshot_interval_ms = 100;
    config_.poll_interval_ms = 10;
    config_.max_flows = 2;
  }

  std::unique_ptr<Pipeline> start() {
    auto pipeline = Pipeline::start(config_, std::make_unique<ScriptedSource>(script_));
    EXPECT_TRUE(pipeline);
    return std::move(*pipeline);
  }

  Config config_;
  Script script_;
};

}  // namespace orb8
