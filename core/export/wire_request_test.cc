// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orb8 {
namespace {

constexpr QueryRules kRules = {.max_limit = 100, .labels_kept = false};

TEST(WireRequest, ReadsEveryField) {
  v1::QueryFlowsRequest request;
  request.set_limit(5);
  request.set_sort(v1::SORT_ORDER_PACKETS);
  request.set_collapse_client_ports(true);
  request.mutable_filter()->add_protocols("udp");
  const auto query = from_wire(request, kRules);
  ASSERT_TRUE(query);
  EXPECT_FALSE(query->matcher.matches({}));
  EXPECT_EQ(query->order.sort, FlowSort::kPackets);
  EXPECT_EQ(query->limit, 5U);
  EXPECT_TRUE(query->collapse_client_ports);
}

TEST(WireRequest, ReadsTimesAndGroups) {
  v1::QueryFlowsRequest request;
  EXPECT_FALSE(from_wire(request, kRules)->period.asks_for_history());
  request.set_since_ns(3);
  request.set_until_ns(5);
  request.set_ended_since_ns(4);
  request.add_group_by(v1::GROUP_BY_WORKLOAD);
  request.add_group_by(v1::GROUP_BY_PEER_IP);
  const auto query = from_wire(request, kRules);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->period.since_ns, 3);
  EXPECT_EQ(query->period.until_ns, 5);
  EXPECT_EQ(query->period.ended_since_ns, 4);
  EXPECT_TRUE(query->period.asks_for_history());
  EXPECT_THAT(query->group_by, ::testing::ElementsAre(GroupBy::kWorkload, GroupBy::kPeerIp));
}

TEST(WireRequest, RefusesWhatMakesNoSenseTogether) {
  const auto refused = [](auto change) {
    v1::QueryFlowsRequest request;
    change(request);
    const auto query = from_wire(request, kRules);
    return query ? "" : query.error().what;
  };
  EXPECT_THAT(
      refused([](auto& request) { request.add_group_by(v1::GROUP_BY_UNSPECIFIED); }),
      ::testing::HasSubstr("group_by: '0' is not allowed; it must be one of GROUP_BY_POD, "));
  EXPECT_EQ(refused([](auto& request) {
              request.add_group_by(v1::GROUP_BY_POD);
              request.add_group_by(v1::GROUP_BY_POD);
            }),
            "group_by: GROUP_BY_POD is there twice");
  EXPECT_EQ(refused([](auto& request) {
              request.add_group_by(v1::GROUP_BY_POD);
              request.set_collapse_client_ports(true);
            }),
            "collapse_client_ports and group_by exclude each other");
  EXPECT_EQ(refused([](auto& request) { request.set_oldest_first(true); }),
            "oldest_first: it goes with SORT_ORDER_LAST_SEEN alone");
  EXPECT_EQ(refused([](auto& request) { request.set_since_ns(-1); }),
            "since_ns: '-1' is not allowed; it must be a time since 1970, in nanoseconds");
}

TEST(WireRequest, ReadsWhatAStreamBeginsWith) {
  v1::StreamEventsRequest request;
  EXPECT_FALSE(from_wire(request, kRules)->history);
  EXPECT_TRUE(from_wire(request, kRules)->follow);
  request.set_last(7);
  request.set_since_ns(3);
  request.set_end_after_history(true);
  const auto query = from_wire(request, kRules);
  ASSERT_TRUE(query && query->history);
  EXPECT_EQ(query->history->last, 7U);
  EXPECT_EQ(query->history->period.since_ns, 3);
  EXPECT_FALSE(query->follow);
  v1::StreamEventsRequest all;
  all.set_all(true);
  EXPECT_TRUE(from_wire(all, kRules)->history);
}

TEST(WireRequest, RefusesAStreamOfWhatIsNotRemembered) {
  v1::StreamEventsRequest packets;
  packets.set_packets(true);
  packets.set_all(true);
  EXPECT_EQ(from_wire(packets, kRules).error().what,
            "packets: they are not remembered, only flows are");
  v1::StreamEventsRequest both;
  both.set_last(1);
  both.set_first(1);
  EXPECT_EQ(from_wire(both, kRules).error().what, "last and first exclude each other");
  v1::StreamEventsRequest until;
  until.set_until_ns(1);
  EXPECT_EQ(from_wire(until, kRules).error().what,
            "until_ns: it goes with end_after_history alone");
}

TEST(WireRequest, BoundsTheLimit) {
  v1::QueryFlowsRequest request;
  EXPECT_EQ(from_wire(request, kRules)->limit, 100U);
  request.set_limit(101);
  EXPECT_EQ(from_wire(request, kRules)->limit, 100U);
}

TEST(WireRequest, RefusesASortOrderThatDoesNotExist) {
  v1::QueryFlowsRequest request;
  request.set_sort(static_cast<v1::SortOrder>(9));
  const auto query = from_wire(request, kRules);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().what,
            "sort: '9' is not allowed; it must be SORT_ORDER_BYTES, SORT_ORDER_PACKETS, "
            "SORT_ORDER_LAST_SEEN, SORT_ORDER_RTT or SORT_ORDER_RETRANSMITS");
}

TEST(WireRequest, RefusesAFilterThatIsWrong) {
  v1::QueryFlowsRequest query;
  query.mutable_filter()->add_ports(65536);
  EXPECT_FALSE(from_wire(query, kRules));
  v1::StreamEventsRequest stream;
  stream.mutable_filter()->mutable_either()->add_labels("app=web");
  EXPECT_FALSE(from_wire(stream, kRules)) << "no labels are kept";
  EXPECT_TRUE(from_wire(stream, {.labels_kept = true}));
}

TEST(WireRequest, TakesAnEmptyRequestForEverything) {
  const auto query = from_wire(v1::QueryFlowsRequest(), kRules);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->order.sort, FlowSort::kBytes);
  EXPECT_TRUE(query->matcher.matches({}));
}

}  // namespace
}  // namespace orb8
