// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace orb8 {
namespace {

using ::testing::ElementsAre;

TEST(WireRequest, ReadsEveryField) {
  v1::QueryFlowsRequest request;
  request.add_namespaces("shop");
  request.add_pod_names("web-0");
  request.set_limit(5);
  request.set_sort(v1::SORT_ORDER_PACKETS);
  request.mutable_filter()->add_ips("10.0.0.0/8");
  request.mutable_filter()->add_ports(53);
  request.mutable_filter()->add_protocols("udp");
  request.mutable_filter()->add_directions("egress");
  const auto query = from_wire(request, 100);
  ASSERT_TRUE(query);
  EXPECT_THAT(query->filter.namespaces, ElementsAre("shop"));
  EXPECT_THAT(query->filter.pods, ElementsAre("web-0"));
  EXPECT_THAT(query->filter.prefixes, ElementsAre(*parse_prefix("10.0.0.0/8")));
  EXPECT_THAT(query->filter.ports, ElementsAre(53));
  EXPECT_THAT(query->filter.protocols, ElementsAre(IPPROTO_UDP));
  EXPECT_THAT(query->filter.directions, ElementsAre(Direction::kEgress));
  EXPECT_EQ(query->sort, FlowSort::kPackets);
  EXPECT_EQ(query->limit, 5U);
}

TEST(WireRequest, BoundsTheLimit) {
  v1::QueryFlowsRequest request;
  EXPECT_EQ(from_wire(request, 100)->limit, 100U);
  request.set_limit(101);
  EXPECT_EQ(from_wire(request, 100)->limit, 100U);
}

std::string refusal(const v1::FlowFilter& filter) {
  v1::StreamEventsRequest request;
  *request.mutable_filter() = filter;
  const auto read = from_wire(request);
  if (read) return "none";
  EXPECT_EQ(read.error().code, Errc::kInvalid);
  return read.error().what;
}

TEST(WireRequest, NamesFieldValueAndWhatIsAllowed) {
  v1::FlowFilter filter;
  filter.add_ips("10.0.0.0/33");
  EXPECT_EQ(refusal(filter),
            "filter.ips: '10.0.0.0/33' is not allowed; it must be an address or a prefix, as "
            "10.0.0.0/8 or fd00::/8");
  filter = {};
  filter.add_ports(65536);
  EXPECT_EQ(refusal(filter),
            "filter.ports: '65536' is not allowed; it must be a number from 0 to 65535");
  filter = {};
  filter.add_protocols("tpc");
  EXPECT_EQ(refusal(filter),
            "filter.protocols: 'tpc' is not allowed; it must be a protocol's name, as TCP or "
            "ICMPv6, or a number from 0 to 255");
  filter = {};
  filter.add_directions("up");
  EXPECT_EQ(refusal(filter),
            "filter.directions: 'up' is not allowed; it must be ingress or egress");
}

TEST(WireRequest, RefusesASortOrderThatDoesNotExist) {
  v1::QueryFlowsRequest request;
  request.set_sort(static_cast<v1::SortOrder>(9));
  const auto query = from_wire(request, 100);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().what,
            "sort: '9' is not allowed; it must be SORT_ORDER_BYTES, SORT_ORDER_PACKETS, "
            "SORT_ORDER_LAST_SEEN, SORT_ORDER_RTT or SORT_ORDER_RETRANSMITS");
}

TEST(WireRequest, RefusesMoreValuesThanAFilterTakes) {
  v1::FlowFilter filter;
  for (int i = 0; i < 1001; ++i) filter.add_ips("10.0.0.1");
  EXPECT_EQ(refusal(filter), "filter.ips: '1001 values' is not allowed; it must be at most 1000");
  filter = {};
  for (int i = 0; i < 1001; ++i) filter.add_ports(53);
  EXPECT_EQ(refusal(filter), "filter.ports: '1001 values' is not allowed; it must be at most 1000");
  v1::QueryFlowsRequest request;
  for (int i = 0; i < 1001; ++i) request.add_pod_names("web");
  EXPECT_EQ(from_wire(request, 100).error().what,
            "pod_names: '1001 values' is not allowed; it must be at most 1000");
}

TEST(WireRequest, QuotesALongValueInShort) {
  v1::FlowFilter filter;
  filter.add_directions("up\n" + std::string(1'000'000, 'x'));
  EXPECT_EQ(refusal(filter), "filter.directions: 'up?" + std::string(97, 'x') +
                                 "...' is not allowed; it must be ingress or egress");
}

TEST(WireRequest, TakesAnEmptyRequestForEverything) {
  const auto query = from_wire(v1::QueryFlowsRequest(), 100);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->sort, FlowSort::kBytes);
  EXPECT_TRUE(query->filter.matches({}, {}));
}

}  // namespace
}  // namespace orb8
