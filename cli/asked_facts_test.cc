// SPDX-License-Identifier: Apache-2.0
#include "cli/asked_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/filter_request.h"
#include "cli/options.h"
#include "cli/render_test_data.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

SourceFacts asked_by(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "flows");
  const auto parsed = parse_cli(arguments, [](const std::string&) { return nullptr; });
  EXPECT_TRUE(parsed.options) << parsed.text;
  v1::QueryFlowsRequest request;
  if (parsed.options) put_filters(parsed.options->filters, request);
  return facts_asked(request);
}

TEST(AskedFacts, AreFoundWhereverAFilterHasThem) {
  EXPECT_FALSE(asked_by({"--port", "53", "--protocol", "tcp", "--verdict", "reset"}).any());
  EXPECT_TRUE(asked_by({"--tcp-flags", "SYN"}).tcp_flags);
  EXPECT_TRUE(asked_by({"--not", "--tcp-flags", "SYN"}).tcp_flags);
  EXPECT_TRUE(asked_by({"--port", "53", "--or", "--tcp-flags", "SYN"}).tcp_flags);
  EXPECT_TRUE(asked_by({"--process", "nginx"}).processes);
  for (const auto& words : {std::vector<std::string>{"--failed"},
                            {"--verdict", "failed"},
                            {"--min-rtt", "5ms"},
                            {"--min-retransmits", "3"}}) {
    EXPECT_TRUE(asked_by(words).sockets) << words.front();
  }
}

TEST(AskedFacts, LackTcpFlagsWhereSocketsAreCounted) {
  const auto asked = asked_by({"--tcp-flags", "SYN", "--process", "nginx", "--failed"});
  EXPECT_THAT(
      facts_lacking(asked, "socket", false),
      ElementsAre("no flow has TCP flags here: packets tell them, and the flow source is socket; "
                  "use orb8 trace network --packets, or flow_source tc"));
}

TEST(AskedFacts, LackWhatSocketsKnowWherePacketsAreCounted) {
  const auto asked = asked_by({"--tcp-flags", "SYN", "--process", "nginx", "--min-rtt", "1ms"});
  EXPECT_THAT(facts_lacking(asked, "tc", false),
              ElementsAre(StartsWith("no flow has a process here: sockets tell it"),
                          StartsWith("no flow has a round-trip time, retransmits or a failure ")));
}

TEST(AskedFacts, LackNothingWhereTheSourceIsNotKnown) {
  const auto asked = asked_by({"--tcp-flags", "SYN", "--process", "nginx", "--failed"});
  EXPECT_THAT(facts_lacking(asked, "", false), IsEmpty());
}

TEST(AskedFacts, LackProcessesOfPacketsWhateverTheSource) {
  const auto asked = asked_by({"--tcp-flags", "SYN", "--process", "nginx"});
  for (const auto* source : {"socket", "tc"}) {
    EXPECT_THAT(facts_lacking(asked, source, true),
                ElementsAre(StartsWith("no packet has a process")));
  }
}

TEST(AskedFacts, LackWhatNoLineOfASavedTraceHas) {
  const auto asked = asked_by({"--tcp-flags", "SYN", "--process", "nginx", "--failed"});
  SourceFacts seen;
  EXPECT_THAT(facts_lacking(asked, seen, "FILE"), SizeIs(3));
  add_facts(event_to_db(v1::EVENT_TYPE_FLOW_END), seen);
  EXPECT_THAT(facts_lacking(asked, seen, "FILE"),
              ElementsAre(StartsWith("no line of FILE has a process; "), HasSubstr("a failure")));
  add_facts(socket_flow_to_db<v1::NetworkEvent>(), seen);
  EXPECT_THAT(facts_lacking(asked, seen, "FILE"), IsEmpty());
}

}  // namespace
}  // namespace orb8
