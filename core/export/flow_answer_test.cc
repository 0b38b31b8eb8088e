// SPDX-License-Identifier: Apache-2.0
#include "core/export/flow_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <memory>
#include <vector>

#include "core/flow/flow_history.h"
#include "core/flow/flow_table.h"

namespace orb8 {
namespace {

constexpr QueryRules kRules = {.max_limit = 100, .labels_kept = false};

// A DNS question of web-0, alive, and one that has ended.
FlowView two_questions() {
  Flow flow;
  flow.key = {.src = Addr::v4(10, 0, 0, 1),
              .dst = Addr::v4(10, 0, 0, 2),
              .src_port = 40'000,
              .dst_port = 53,
              .protocol = IPPROTO_UDP,
              .direction = Direction::kEgress};
  flow.packets = 1;
  flow.bytes = 100;
  flow.first_seen_ns = 10;
  flow.last_seen_ns = 20;
  flow.owners = FlowOwners{.src = std::make_shared<const Endpoint>(Endpoint{
                               .kind = EndpointKind::kPod, .name_space = "shop", .name = "web-0"})};
  FlowTable table({});
  table.apply({.key = flow.key,
               .packets = 2,
               .bytes = 300,
               .incarnation = 1,
               .first_seen_ns = 30,
               .last_seen_ns = 40},
              [&](const FlowRecord& /*its own*/) { return flow.owners; });
  FlowHistory history({}, 5);
  history.add(flow, EndReason::kIdle, 25);
  return {.live = table.share(), .history = history.share(), .taken_ns = 50};
}

v1::QueryFlowsResponse answer_to(const v1::QueryFlowsRequest& request, const FlowView& view) {
  InterfaceNames names;
  v1::QueryFlowsResponse answer;
  answer_flows(*from_wire(request, kRules), view, names, answer);
  return answer;
}

TEST(FlowAnswer, HasTheReasonOfAFlowThatHasEndedAndWhatItIsCompleteFrom) {
  v1::QueryFlowsRequest request;
  request.set_since_ns(1);
  const auto answer = answer_to(request, two_questions());
  ASSERT_EQ(answer.flows_size(), 2);
  EXPECT_EQ(answer.flows(0).end_reason(), "");
  EXPECT_EQ(answer.flows(1).end_reason(), "idle");
  EXPECT_EQ(answer.matched(), 2U);
  EXPECT_EQ(answer.history_from_ns(), 5);
  EXPECT_EQ(answer.taken_ns(), 50);
}

TEST(FlowAnswer, HasTheOldestFirstWhereThatIsAsked) {
  v1::QueryFlowsRequest request;
  request.set_since_ns(1);
  request.set_sort(v1::SORT_ORDER_LAST_SEEN);
  request.set_limit(1);
  EXPECT_EQ(answer_to(request, two_questions()).flows(0).last_seen_ns(), 40);
  request.set_oldest_first(true);
  EXPECT_EQ(answer_to(request, two_questions()).flows(0).last_seen_ns(), 20);
}

TEST(FlowAnswer, SumsUpGroupsByWhatWasAsked) {
  v1::QueryFlowsRequest request;
  request.set_since_ns(1);
  for (const auto by :
       {v1::GROUP_BY_POD, v1::GROUP_BY_PORT, v1::GROUP_BY_PEER_IP, v1::GROUP_BY_PEER_POD}) {
    request.add_group_by(by);
  }
  const auto answer = answer_to(request, two_questions());
  EXPECT_EQ(answer.flows_size(), 0);
  ASSERT_EQ(answer.groups_size(), 1);
  const auto& group = answer.groups(0);
  EXPECT_EQ(group.pod(), "shop/web-0");
  EXPECT_EQ(group.port(), 53U);
  EXPECT_EQ(group.protocol(), "UDP");
  EXPECT_EQ(group.peer_ip(), "10.0.0.2");
  EXPECT_EQ(group.peer_pod(), "") << "nobody knows";
  EXPECT_EQ(group.flows(), 2U);
  EXPECT_EQ(group.sent_packets(), 3U);
  EXPECT_EQ(group.sent_bytes(), 400U);
  EXPECT_EQ(group.received_bytes(), 0U);
  EXPECT_EQ(group.first_seen_ns(), 10);
  EXPECT_EQ(group.last_seen_ns(), 40);
}

TEST(FlowAnswer, HasEachDimensionInItsField) {
  const auto* type = v1::FlowGroup::descriptor();
  for (int i = 0; i < v1::GroupBy_descriptor()->value_count(); ++i) {
    const auto& value = *v1::GroupBy_descriptor()->value(i);
    if (value.number() == v1::GROUP_BY_UNSPECIFIED) continue;
    v1::QueryFlowsRequest request;
    request.add_group_by(static_cast<v1::GroupBy>(value.number()));
    EXPECT_TRUE(from_wire(request, kRules)) << value.name();
    std::string field = value.name().substr(std::string("GROUP_BY_").size());
    for (auto& c : field) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    EXPECT_NE(type->FindFieldByName(field), nullptr) << field;
  }
}

TEST(FlowAnswer, SumsUpTheGroupsBeyondTheLimitInALastOne) {
  v1::QueryFlowsRequest request;
  request.set_since_ns(1);
  request.add_group_by(v1::GROUP_BY_PORT);
  FlowHistory history({}, 5);
  for (std::uint16_t port = 1; port <= 3; ++port) {
    Flow flow;
    flow.key = {.dst_port = port, .protocol = IPPROTO_UDP, .direction = Direction::kEgress};
    flow.key.src_port = 50'000;
    flow.bytes = port;
    flow.last_seen_ns = 10;
    history.add(flow, EndReason::kIdle, 25);
  }
  FlowTable none({});
  request.set_limit(1);
  const auto answer = answer_to(request, {.live = none.share(), .history = history.share()});
  ASSERT_EQ(answer.groups_size(), 2);
  EXPECT_EQ(answer.groups(0).port(), 3U);
  EXPECT_EQ(answer.groups(1).other_groups(), 2U);
  EXPECT_EQ(answer.groups(1).sent_bytes(), 3U);
  EXPECT_FALSE(answer.groups(1).has_port());
  EXPECT_EQ(answer.matched(), 3U);
}

}  // namespace
}  // namespace orb8
