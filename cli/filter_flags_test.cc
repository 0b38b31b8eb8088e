// SPDX-License-Identifier: Apache-2.0
#include "cli/filter_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/filter_request.h"
#include "cli/options.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The filters of `orb8 flows <arguments>`.
std::vector<v1::FlowFilter> filters_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "flows");
  const auto parsed = parse_cli(arguments, [](const std::string&) { return nullptr; });
  EXPECT_TRUE(parsed.options) << parsed.text;
  return parsed.options ? parsed.options->filters : std::vector<v1::FlowFilter>();
}

v1::FlowFilter filter_of(const std::vector<std::string>& arguments) {
  const auto filters = filters_of(arguments);
  EXPECT_THAT(filters, SizeIs(1));
  return filters.empty() ? v1::FlowFilter() : filters.front();
}

TEST(FilterFlags, AreNoFilterWhereNoneIsGiven) {
  EXPECT_THAT(filters_of({}), IsEmpty());
  EXPECT_THAT(filters_of({"--limit", "3"}), IsEmpty());
}

TEST(FilterFlags, SpeakOfEitherSideOrOfOne) {
  const auto filter = filter_of({"--pod", "web-0", "--from-pod", "web-1", "--to-pod=web-2", "-n",
                                 "shop", "--to-port", "80-90", "--from-ip", "10.0.0.0/8"});
  EXPECT_THAT(filter.either().pods(), ElementsAre("web-0"));
  EXPECT_THAT(filter.source().pods(), ElementsAre("web-1"));
  EXPECT_THAT(filter.destination().pods(), ElementsAre("web-2"));
  EXPECT_THAT(filter.either().namespaces(), ElementsAre("shop"));
  EXPECT_THAT(filter.destination().ports(), ElementsAre("80-90"));
  EXPECT_THAT(filter.source().ips(), ElementsAre("10.0.0.0/8"));
}

// Of each flag that takes a value one that is allowed.
TEST(FilterFlags, PutEachConditionWhereItBelongs) {
  const auto filter = filter_of(
      {"--workload",  "deploy/web", "-l",          "app=web", "--service",         "shop/web",
       "--node-name", "node-7",     "--container", "nginx",   "--process",         "nginx",
       "--protocol",  "tcp",        "--verdict",   "reset",   "--tcp-flags",       "SYN,ACK",
       "--direction", "ingress",    "-4",          "-6",      "--min-retransmits", "3",
       "--min-rtt",   "50ms",       "--min-bytes", "1M",      "--failed"});
  EXPECT_THAT(filter.either().workloads(), ElementsAre("deploy/web"));
  EXPECT_THAT(filter.either().labels(), ElementsAre("app=web"));
  EXPECT_THAT(filter.either().services(), ElementsAre("shop/web"));
  EXPECT_THAT(filter.either().nodes(), ElementsAre("node-7"));
  EXPECT_THAT(filter.either().containers(), ElementsAre("nginx"));
  EXPECT_THAT(filter.either().processes(), ElementsAre("nginx"));
  EXPECT_THAT(filter.protocols(), ElementsAre("tcp"));
  EXPECT_THAT(filter.verdicts(), ElementsAre("reset"));
  EXPECT_THAT(filter.tcp_flags(), ElementsAre("SYN,ACK"));
  EXPECT_THAT(filter.directions(), ElementsAre("ingress"));
  EXPECT_THAT(filter.ip_versions(), ElementsAre(4, 6));
  EXPECT_EQ(filter.min_rtt_us(), 50'000U);
  EXPECT_EQ(filter.min_bytes(), 1U << 20U);
  EXPECT_EQ(filter.min_retransmits(), 3U);
  EXPECT_TRUE(filter.failed());
}

TEST(FilterFlags, KnowHubblesWordForTheDirection) {
  EXPECT_THAT(filter_of({"--traffic-direction", "egress"}).directions(), ElementsAre("egress"));
}

TEST(FilterFlags, AreAlternativesWhereOneIsRepeated) {
  EXPECT_THAT(filter_of({"--port", "53", "--port", "80"}).either().ports(),
              ElementsAre("53", "80"));
}

TEST(FilterFlags, LeaveOutWhatStandsBehindANot) {
  const auto filter =
      filter_of({"-n", "shop", "--not", "--port", "53", "--not", "-6", "--protocol", "tcp"});
  EXPECT_THAT(filter.either().namespaces(), ElementsAre("shop"));
  EXPECT_THAT(filter.either().ports(), IsEmpty());
  EXPECT_THAT(filter.protocols(), ElementsAre("tcp"));
  ASSERT_THAT(filter.none_of(), SizeIs(2));
  EXPECT_THAT(filter.none_of(0).either().ports(), ElementsAre("53"));
  EXPECT_THAT(filter.none_of(1).ip_versions(), ElementsAre(6));
}

TEST(FilterFlags, BeginAnotherFilterBehindAnOr) {
  const auto filters = filters_of({"--from-pod", "web-0", "--or", "--to-pod", "web-0", "--min-rtt",
                                   "1ms", "--or", "--min-rtt", "2ms"});
  ASSERT_THAT(filters, SizeIs(3));
  EXPECT_THAT(filters[0].source().pods(), ElementsAre("web-0"));
  EXPECT_THAT(filters[1].destination().pods(), ElementsAre("web-0"));
  EXPECT_EQ(filters[2].min_rtt_us(), 2000U);
}

TEST(FilterRequest, PutsASingleFilterWhereEveryAgentLooks) {
  v1::QueryFlowsRequest request;
  put_filters(filters_of({"-n", "shop", "--pod", "web-0", "--port", "53"}), request);
  EXPECT_THAT(request.namespaces(), ElementsAre("shop"));
  EXPECT_THAT(request.pod_names(), ElementsAre("web-0"));
  EXPECT_THAT(request.filter().either().ports(), ElementsAre("53"));
  EXPECT_THAT(request.filter().either().pods(), IsEmpty());
  EXPECT_THAT(request.allow(), IsEmpty());
}

TEST(FilterRequest, AllowsAnyOfSeveral) {
  v1::StreamEventsRequest request;
  put_filters(filters_of({"-n", "shop", "--or", "-n", "infra"}), request);
  EXPECT_THAT(request.namespaces(), IsEmpty());
  ASSERT_THAT(request.allow(), SizeIs(2));
  EXPECT_THAT(request.allow(1).either().namespaces(), ElementsAre("infra"));
}

}  // namespace
}  // namespace orb8
