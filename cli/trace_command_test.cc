// What a trace asks for, and the summary below it: what it says was lost.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "cli/commands.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// An agent that knows neither flows nor pods, which a trace does not ask for.
class StreamingAgent : public Backend {
 public:
  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& /*none*/,
                                       const Patience& /*at once*/) override {
    return v1::QueryFlowsResponse{};
  }
  Result<v1::QueryPodsResponse> pods(const v1::QueryPodsRequest& /*none*/,
                                     const Patience& /*at once*/) override {
    return v1::QueryPodsResponse{};
  }
  bool starts_empty() const override { return false; }
};

// An agent whose ring loses 100 packet events between each two looks at it, whoever asked for
// them, and which sends one event before which this reader lost two.
class LosingAgent final : public StreamingAgent {
 public:
  Result<v1::AgentStatus> status(const Patience& /*at once*/) override {
    constexpr std::uint64_t kEachTime = 100;
    v1::AgentStatus status;
    status.mutable_accounting()->set_packet_events_lost(lost_ += kEachTime);
    return status;
  }
  Result<void> stream(const v1::StreamEventsRequest& /*all*/, const EventFn& on_event,
                      const std::stop_token& /*ends by itself*/) override {
    v1::NetworkEvent event;
    event.set_dropped_before(2);
    on_event(event);
    return {};
  }

 private:
  std::uint64_t lost_ = 0;
};

struct Said {
  std::string out;
  std::string err;
};

Said said_by_trace(Backend& agent, const CliOptions& options) {
  std::ostringstream out;
  std::ostringstream err;
  const auto status =
      run_trace(agent, options,
                {.out = out, .err = err, .style = {}, .screen = {}, .stop = {}, .reader_gone = [] {
                   return false;
                 }});
  EXPECT_EQ(status, 0);
  return {.out = out.str(), .err = err.str()};
}

std::string summary_of(bool packets) {
  LosingAgent agent;
  CliOptions options;
  options.packets = packets;
  return said_by_trace(agent, options).err;
}

TEST(TraceSummary, CountsPacketEventsThatTheKernelLost) {
  EXPECT_THAT(summary_of(true), HasSubstr("/s), 102 lost; "));
}

TEST(TraceSummary, LeavesPacketEventsToThoseWhoAskedForThem) {
  EXPECT_THAT(summary_of(false), HasSubstr("/s), 2 lost; "));
}

// An agent that counts sockets, of which none has anything to tell.
class SocketAgent final : public StreamingAgent {
 public:
  Result<v1::AgentStatus> status(const Patience& /*at once*/) override {
    v1::AgentStatus status;
    status.set_flow_source("socket");
    return status;
  }
  Result<void> stream(const v1::StreamEventsRequest& /*none*/, const EventFn& /*none*/,
                      const std::stop_token& /*ends by itself*/) override {
    return {};
  }
};

TEST(TraceNetwork, SaysThatNoFlowOfTheAgentCanMatch) {
  SocketAgent agent;
  CliOptions options;
  const auto why = "orb8: no flow has TCP flags here: ";
  EXPECT_THAT(said_by_trace(agent, options).err, Not(HasSubstr(why)));
  options.filters.emplace_back().add_tcp_flags("SYN");
  EXPECT_THAT(said_by_trace(agent, options).err, HasSubstr(why));
  options.packets = true;
  EXPECT_THAT(said_by_trace(agent, options).err, Not(HasSubstr(why)));
}

// An agent that has two events at once, and a third one later.
class PausingAgent final : public StreamingAgent {
 public:
  Result<v1::AgentStatus> status(const Patience& /*at once*/) override { return v1::AgentStatus{}; }
  Result<void> stream(const v1::StreamEventsRequest& /*none*/, const EventFn& on_event,
                      const std::stop_token& /*ends by itself*/) override {
    for (const int events : {2, 1}) {
      for (int i = 0; i < events; ++i) on_event({});
      before_pause();
      pause();
      after_pause();
    }
    return {};
  }

  std::function<void()> before_pause;
  std::function<void()> after_pause;
};

// Of a file or a pipe: what is flushed is where somebody can read it.
class FlushCounter final : public std::stringbuf {
 public:
  int flushes = 0;

 private:
  int sync() override {
    ++flushes;
    return std::stringbuf::sync();
  }
};

TEST(TraceNetwork, WritesEventsTogetherUntilItWouldWaitForMore) {
  for (const auto output : {OutputFormat::kTable, OutputFormat::kCompact, OutputFormat::kJson}) {
    FlushCounter written;
    std::ostream out(&written);
    std::ostringstream err;
    PausingAgent agent;
    int flushed = 0;
    agent.before_pause = [&] {
      EXPECT_EQ(written.flushes, flushed == 0 ? 1 : flushed) << "the header's, if there is one";
      flushed = written.flushes;
    };
    agent.after_pause = [&] { EXPECT_EQ(written.flushes, ++flushed); };
    EXPECT_EQ(run_trace(agent, {},
                        {.out = out,
                         .err = err,
                         .style = {.output = output},
                         .screen = {},
                         .stop = {},
                         .reader_gone = [] { return false; }}),
              0);
    EXPECT_EQ(flushed, 3);
  }
}

class RefusingAgent final : public StreamingAgent {
 public:
  Result<v1::AgentStatus> status(const Patience& /*at once*/) override {
    v1::AgentStatus status;
    auto& part = *status.add_components();
    part.set_name("packet-events");
    part.set_reason("attach tcx to eth0: Operation not permitted");
    return status;
  }
  Result<void> stream(const v1::StreamEventsRequest& /*all*/, const EventFn& /*none*/,
                      const std::stop_token& /*ends by itself*/) override {
    return {};
  }
};

TEST(TraceSummary, SaysWhyThereAreNoPackets) {
  RefusingAgent agent;
  CliOptions options;
  const auto why = "packets cannot be shown: attach tcx to eth0: Operation not permitted\n";
  EXPECT_THAT(said_by_trace(agent, options).err, Not(HasSubstr(why)));
  options.packets = true;
  EXPECT_THAT(said_by_trace(agent, options).err, HasSubstr(why));
}

// An agent that tells of the start and of the end of a connection, whatever was asked for.
class TellingAgent final : public StreamingAgent {
 public:
  Result<v1::AgentStatus> status(const Patience& /*at once*/) override { return v1::AgentStatus{}; }
  Result<void> stream(const v1::StreamEventsRequest& request, const EventFn& on_event,
                      const std::stop_token& /*ends by itself*/) override {
    asked = request;
    for (const auto type : {v1::EVENT_TYPE_FLOW_START, v1::EVENT_TYPE_FLOW_END}) {
      v1::NetworkEvent event;
      event.set_type(type);
      event.set_packets(1);
      event.set_dropped_before(1);
      on_event(event);
    }
    return {};
  }

  v1::StreamEventsRequest asked;
};

TEST(TraceOfFailures, ShowsTheEndOfAConnectionAlone) {
  TellingAgent agent;
  CliOptions options;
  options.failed = true;
  const auto said = said_by_trace(agent, options);
  EXPECT_THAT(said.out, HasSubstr("  END "));
  EXPECT_THAT(said.out, Not(HasSubstr("  START ")));
  EXPECT_THAT(said.out, Not(HasSubstr("Top talkers")));
  EXPECT_THAT(said.err, HasSubstr("orb8: 1 event in "));
  EXPECT_THAT(said.err, HasSubstr(", 2 lost; "));
}

// The options of `orb8 trace network <arguments>`.
CliOptions options_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"trace", "network"});
  const auto parsed = parse_cli(arguments, [](const std::string&) { return nullptr; });
  EXPECT_TRUE(parsed.options) << parsed.text;
  return parsed.options.value_or(CliOptions{});
}

TEST(TraceOfFailures, IsOneWhereEveryFilterAsksForThem) {
  EXPECT_TRUE(options_of({"--failed"}).failed);
  EXPECT_TRUE(options_of({"--failed", "--not", "--port", "53"}).failed);
  EXPECT_TRUE(options_of({"--failed", "--port", "53", "--or", "--failed", "--port", "80"}).failed);
  EXPECT_FALSE(options_of({}).failed);
  EXPECT_FALSE(options_of({"--not", "--failed"}).failed);
  EXPECT_FALSE(options_of({"--failed", "--or", "--port", "53"}).failed);
}

TEST(TraceOfFailures, LeavesATraceOfOtherConnectionsAsItIs) {
  TellingAgent agent;
  auto said = said_by_trace(agent, options_of({"--not", "--failed"}));
  EXPECT_THAT(agent.asked.filter().directions(), IsEmpty());
  EXPECT_THAT(said.out, HasSubstr("  START "));
  said = said_by_trace(agent, options_of({"--failed", "--or", "--port", "53"}));
  ASSERT_THAT(agent.asked.allow(), SizeIs(2));
  EXPECT_THAT(agent.asked.allow(0).directions(), IsEmpty());
  EXPECT_THAT(agent.asked.allow(1).directions(), IsEmpty());
  EXPECT_THAT(said.out, HasSubstr("  START "));
}

// An agent that remembers, and ends a stream that has been told.
class RememberingAgent final : public StreamingAgent {
 public:
  Result<v1::AgentStatus> status(const Patience& /*at once*/) override {
    v1::AgentStatus status;
    status.set_history_from_ns(from_ns);
    return status;
  }
  Result<void> stream(const v1::StreamEventsRequest& request, const EventFn& /*none*/,
                      const std::stop_token& /*ends by itself*/) override {
    asked = request;
    return {};
  }

  std::int64_t from_ns = 1;
  v1::StreamEventsRequest asked;
};

TEST(TraceOfWhatHasBeen, AsksForItAndEndsUnlessItFollows) {
  RememberingAgent agent;
  CliOptions options;
  said_by_trace(agent, options);
  EXPECT_FALSE(agent.asked.end_after_history());
  options.selectors.last = 7;
  EXPECT_THAT(said_by_trace(agent, options).err, Not(HasSubstr("tracing")));
  EXPECT_EQ(agent.asked.last(), 7U);
  EXPECT_TRUE(agent.asked.end_after_history());
  options.selectors.follow = true;
  EXPECT_THAT(said_by_trace(agent, options).err, HasSubstr("tracing; Ctrl-C ends"));
  EXPECT_FALSE(agent.asked.end_after_history());
}

TEST(TraceOfWhatHasBeen, SaysSinceWhenTheAgentRemembers) {
  RememberingAgent agent;
  CliOptions options;
  options.selectors.since = TimePoint{.unix_ns = 1'000'000'000};
  EXPECT_THAT(said_by_trace(agent, options).err, Not(HasSubstr("are not remembered")));
  agent.from_ns = 2'000'000'000;
  EXPECT_THAT(said_by_trace(agent, options).err, HasSubstr("are not remembered"));
  EXPECT_EQ(agent.asked.since_ns(), 1'000'000'000);
}

// It would begin with what happens, and never end.
TEST(TraceOfWhatHasBeen, IsRefusedWhereTheAgentIsTooOld) {
  RememberingAgent agent;
  agent.from_ns = 0;
  CliOptions options;
  options.selectors.all = true;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(run_trace(agent, options,
                      {.out = out,
                       .err = err,
                       .style = {},
                       .screen = {},
                       .stop = {},
                       .reader_gone = [] { return false; }}),
            1);
  EXPECT_THAT(err.str(), HasSubstr("the agent is too old for flows that have ended"));
}

TEST(TraceOfFailures, AsksForTheDirectionTowardsThePeerUnlessOneWasNamed) {
  TellingAgent agent;
  CliOptions options;
  said_by_trace(agent, options);
  EXPECT_THAT(agent.asked.filter().directions(), IsEmpty());
  options.filters.emplace_back().set_failed(true);
  options.failed = true;
  said_by_trace(agent, options);
  EXPECT_THAT(agent.asked.filter().directions(), ElementsAre("egress"));
  options.filters.front().add_directions("ingress");
  said_by_trace(agent, options);
  EXPECT_THAT(agent.asked.filter().directions(), ElementsAre("ingress"));
  said_by_trace(agent, options_of({"--failed", "--not", "--direction", "egress"}));
  EXPECT_THAT(agent.asked.filter().directions(), IsEmpty());
}

}  // namespace
}  // namespace orb8
