// What `orb8 flows` asks for, with selectors and groups, and what it says of an answer.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/render_test_data.h"
#include "cli/time_point.h"
#include "core/base/clock.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// An agent that answers each question with the next of its answers, the last one again and again.
class AnsweringAgent final : public Backend {
 public:
  explicit AnsweringAgent(std::vector<v1::QueryFlowsResponse> answers)
      : answers_(std::move(answers)) {}

  Result<v1::AgentStatus> status(const Patience& /*at once*/) override {
    v1::AgentStatus status;
    status.set_flow_source("tc");
    return status;
  }
  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& request,
                                       const Patience& /*at once*/) override {
    asked.push_back(request);
    if (asked.size() == enough) stop.request_stop();
    return answers_[std::min(asked.size(), answers_.size()) - 1];
  }
  Result<v1::QueryPodsResponse> pods(const v1::QueryPodsRequest& /*none*/,
                                     const Patience& /*at once*/) override {
    return v1::QueryPodsResponse{};
  }
  Result<void> stream(const v1::StreamEventsRequest& /*none*/, const EventFn& /*none*/,
                      const std::stop_token& /*none*/) override {
    return {};
  }
  bool starts_empty() const override { return false; }

  std::vector<v1::QueryFlowsRequest> asked;
  std::size_t enough = 0;  // the question that is followed by a Ctrl-C; 0: none
  std::stop_source stop;

 private:
  std::vector<v1::QueryFlowsResponse> answers_;
};

struct Said {
  int status = 0;
  std::string out;
  std::string err;
};

Said said_by_flows(AnsweringAgent& agent, const std::vector<std::string>& flags) {
  std::vector<std::string> words = {"flows"};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto parsed = parse_cli(words, [](const std::string&) { return nullptr; });
  EXPECT_TRUE(parsed.options) << parsed.text;
  std::ostringstream out;
  std::ostringstream err;
  Said said;
  said.status = run_flows(agent, *parsed.options,
                          {.out = out,
                           .err = err,
                           .style = {},
                           .screen = {},
                           .stop = agent.stop.get_token(),
                           .reader_gone = [] { return false; }});
  said.out = out.str();
  said.err = err.str();
  return said;
}

v1::QueryFlowsResponse answer_at(std::int64_t taken_ns, std::uint64_t web_packets = 0) {
  v1::QueryFlowsResponse answer;
  answer.set_taken_ns(taken_ns);
  answer.set_history_from_ns(1);
  if (web_packets == 0) return answer;
  auto& group = *answer.add_groups();
  group.set_pod("shop/web-0");
  group.set_sent_packets(web_packets);
  group.set_sent_bytes(1'000 * web_packets);
  return answer;
}

TEST(FlowsCommand, AsksForNoHistoryUnlessItIsTold) {
  AnsweringAgent agent({v1::QueryFlowsResponse()});
  EXPECT_EQ(said_by_flows(agent, {}).status, 0) << "an agent of any age answers that";
  EXPECT_EQ(agent.asked.at(0).since_ns(), 0);
  EXPECT_EQ(agent.asked.at(0).group_by_size(), 0);
}

TEST(FlowsCommand, AsksForTheSelectorsThatItWasGiven) {
  AnsweringAgent agent({answer_at(kNoon)});
  const auto begin_ns = wall_now_ns();
  said_by_flows(agent, {"--since", "5m", "--until", "1m"});
  const auto& period = agent.asked.at(0);
  EXPECT_GE(period.since_ns(), begin_ns - 300 * kSecond);
  EXPECT_LE(period.since_ns(), wall_now_ns() - 300 * kSecond);
  EXPECT_EQ(period.until_ns() - period.since_ns(), 240 * kSecond);
  said_by_flows(agent, {"--last", "7"});
  EXPECT_EQ(agent.asked.at(1).limit(), 7U);
  EXPECT_EQ(agent.asked.at(1).sort(), v1::SORT_ORDER_LAST_SEEN);
  EXPECT_FALSE(agent.asked.at(1).oldest_first());
  EXPECT_NE(agent.asked.at(1).since_ns(), 0);
  said_by_flows(agent, {"--first", "7"});
  EXPECT_TRUE(agent.asked.at(2).oldest_first());
  said_by_flows(agent, {"--all"});
  EXPECT_EQ(agent.asked.at(3).since_ns(), 1);
}

TEST(FlowsCommand, ShowsGroups) {
  AnsweringAgent agent({answer_at(kNoon, 3)});
  const auto said = said_by_flows(agent, {"--by", "pod", "--by", "peer-pod", "--top", "5"});
  EXPECT_THAT(agent.asked.at(0).group_by(), ElementsAre(v1::GROUP_BY_POD, v1::GROUP_BY_PEER_POD));
  EXPECT_EQ(agent.asked.at(0).limit(), 5U);
  EXPECT_THAT(said.out, HasSubstr("POD         PEER POD "));
  EXPECT_THAT(said.out, HasSubstr("shop/web-0  - "));
}

TEST(FlowsCommand, ShowsGroupsAgainAndAgain) {
  AnsweringAgent agent({answer_at(kNoon, 3), answer_at(kNoon + kSecond, 4)});
  agent.enough = 3;
  const auto said = said_by_flows(agent, {"--by", "pod", "--watch", "1ms", "--numeric"});
  EXPECT_EQ(said.status, 0);
  ASSERT_EQ(agent.asked.size(), 3U);
  for (const auto& question : agent.asked) {
    EXPECT_THAT(question.group_by(), ElementsAre(v1::GROUP_BY_POD));
    EXPECT_EQ(question.limit(), 20U);
    EXPECT_EQ(question.ended_since_ns(), 0) << "sums, each time of all flows alive";
  }
  const auto second = said.out.find("every 1ms", said.out.find("every 1ms") + 1);
  ASSERT_NE(second, std::string::npos) << said.out;
  EXPECT_THAT(said.out.substr(0, second), HasSubstr("2.9 KiB"));
  EXPECT_THAT(said.out.substr(second), HasSubstr("3.9 KiB"));
  EXPECT_THAT(said.err, HasSubstr("orb8: 2 answers in "));
}

TEST(FlowsCommand, ShowsRatesOfTwoAnswersThatFitTogether) {
  AnsweringAgent agent({answer_at(kNoon, 3), answer_at(kNoon + 2 * kSecond, 13)});
  const auto said = said_by_flows(agent, {"--by", "pod", "--window", "1ms"});
  ASSERT_EQ(agent.asked.size(), 2U);
  EXPECT_EQ(agent.asked[0].ended_since_ns(), 0);
  EXPECT_EQ(agent.asked[1].ended_since_ns(), kNoon);
  EXPECT_EQ(agent.asked[1].limit(), 0U) << "all of them";
  EXPECT_THAT(said.out, HasSubstr("40.0 kbit/s"));
  EXPECT_THAT(said.out, HasSubstr("5.0/s"));
  EXPECT_EQ(said.err, "");
}

TEST(FlowsCommand, SaysThatRatesLackWhatWasOverwritten) {
  auto after = answer_at(kNoon + kSecond, 13);
  after.set_history_from_ns(kNoon + 1);
  AnsweringAgent agent({answer_at(kNoon, 3), after});
  EXPECT_THAT(said_by_flows(agent, {"--by", "pod", "--window", "1ms"}).err,
              HasSubstr("orb8: flows that ended meanwhile are not all remembered: "));
}

TEST(FlowsCommand, SaysSinceWhenTheAgentRemembers) {
  use_utc();
  auto answer = answer_at(kNoon);
  answer.set_history_from_ns(kNoon);
  AnsweringAgent agent({answer});
  const auto line = "orb8: flows that ended before 22:13:20.000 are not remembered\n";
  EXPECT_EQ(said_by_flows(agent, {"--since", "2023-11-14T22:00:00Z"}).err, line);
  EXPECT_EQ(said_by_flows(agent, {"--since", "2023-11-14T22:14:00Z"}).err, "");
  EXPECT_EQ(said_by_flows(agent, {"--all"}).err, "") << "who asks for all gets what there is";
}

TEST(FlowsCommand, SaysThatAnAgentIsTooOld) {
  AnsweringAgent agent({v1::QueryFlowsResponse()});
  auto said = said_by_flows(agent, {"--by", "pod"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, HasSubstr("orb8: the agent is too old for --by: "));
  said = said_by_flows(agent, {"--since", "5m"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.err, HasSubstr("the agent is too old for flows that have ended: "));
  EXPECT_THAT(said.out, Not(HasSubstr("PROTO")));
}

TEST(FlowsCommand, SaysOnceThatNoFlowOfTheAgentCanMatch) {
  AnsweringAgent agent({v1::QueryFlowsResponse{}});
  const auto why = "orb8: no flow has a process here: ";
  EXPECT_THAT(said_by_flows(agent, {}).err, Not(HasSubstr(why)));
  const auto said = said_by_flows(agent, {"--process", "nginx"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.err, HasSubstr(why));
}

}  // namespace
}  // namespace orb8
