// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_request.h"

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
  EXPECT_EQ(query->sort, FlowSort::kPackets);
  EXPECT_EQ(query->limit, 5U);
  EXPECT_TRUE(query->collapse_client_ports);
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
  EXPECT_EQ(query->sort, FlowSort::kBytes);
  EXPECT_TRUE(query->matcher.matches({}));
}

}  // namespace
}  // namespace orb8
