// The summary below a trace: what it says was lost.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/commands.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;

// An agent whose ring loses 100 packet events between each two looks at it, whoever asked for
// them, and which sends one event before which this reader lost two.
class LosingAgent final : public Backend {
 public:
  Result<v1::AgentStatus> status(const Patience& /*at once*/) override {
    constexpr std::uint64_t kEachTime = 100;
    v1::AgentStatus status;
    status.mutable_accounting()->set_packet_events_lost(lost_ += kEachTime);
    return status;
  }
  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& /*none*/,
                                       const Patience& /*at once*/) override {
    return v1::QueryFlowsResponse{};
  }
  Result<void> stream(const v1::StreamEventsRequest& /*all*/, const EventFn& on_event,
                      const std::stop_token& /*ends by itself*/) override {
    v1::NetworkEvent event;
    event.set_dropped_before(2);
    on_event(event);
    return {};
  }
  bool starts_empty() const override { return false; }

 private:
  std::uint64_t lost_ = 0;
};

std::string summary_of(bool packets) {
  LosingAgent agent;
  CliOptions options;
  options.packets = packets;
  std::ostringstream out;
  std::ostringstream err;
  const auto status =
      run_trace(agent, options,
                {.out = out, .err = err, .style = {}, .screen = {}, .stop = {}, .reader_gone = [] {
                   return false;
                 }});
  EXPECT_EQ(status, 0);
  return err.str();
}

TEST(TraceSummary, CountsPacketEventsThatTheKernelLost) {
  EXPECT_THAT(summary_of(true), HasSubstr("/s), 102 lost; "));
}

TEST(TraceSummary, LeavesPacketEventsToThoseWhoAskedForThem) {
  EXPECT_THAT(summary_of(false), HasSubstr("/s), 2 lost; "));
}

}  // namespace
}  // namespace orb8
