// SPDX-License-Identifier: Apache-2.0
#include "cli/seen_flows.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/accounting_text.h"
#include "cli/render_talkers.h"
#include "cli/render_test_data.h"

namespace orb8 {
namespace {

v1::NetworkEvent moved(std::uint32_t port, std::uint64_t bytes) {
  auto event = event_to_db(v1::EVENT_TYPE_FLOW_UPDATE);
  event.set_src_port(port);
  event.set_byte_count(bytes);
  event.clear_bytes();
  return event;
}

TEST(SeenFlows, GivesTheTimeSinceTheFlowsEventBefore) {
  SeenFlows seen;
  EXPECT_EQ(seen.add(event_to_db(v1::EVENT_TYPE_FLOW_START, kNoon)), 0);
  EXPECT_EQ(seen.add(event_to_db(v1::EVENT_TYPE_FLOW_UPDATE, kNoon + 2 * kSecond)), 2);
  EXPECT_EQ(seen.add(event_to_db(v1::EVENT_TYPE_FLOW_UPDATE, kNoon + 2 * kSecond + 1)), 0)
      << "too short for a rate";
  EXPECT_EQ(seen.add(event_to_db(v1::EVENT_TYPE_FLOW_END, kNoon + 5 * kSecond)), 5)
      << "its whole life";
}

TEST(SeenFlows, DoesNotGuessForAFlowThatIsOlderThanTheTrace) {
  SeenFlows seen;
  EXPECT_EQ(seen.add(event_to_db(v1::EVENT_TYPE_FLOW_UPDATE, kNoon + 3600 * kSecond)), 0);
  EXPECT_EQ(seen.add(event_to_db(v1::EVENT_TYPE_FLOW_UPDATE, kNoon + 3601 * kSecond)), 1);
}

TEST(SeenFlows, AddsUpWhatEachFlowMovedLargestFirst) {
  SeenFlows seen;
  seen.add(moved(1, 100));
  seen.add(moved(2, 1000));
  seen.add(moved(3, 10));
  seen.add(moved(1, 2000));
  const auto top = seen.top(2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].source, "10.0.0.1:1");
  EXPECT_EQ(top[0].bytes, 2100U);
  EXPECT_EQ(top[0].packets, 20U);
  EXPECT_EQ(top[1].source, "10.0.0.1:2");
  EXPECT_EQ(seen.total().bytes, 3110U);
}

TEST(SeenFlows, ShowsTheLastNameOfAnAddress) {
  SeenFlows seen;
  seen.add(moved(1, 100));
  auto named = moved(1, 100);
  named.mutable_src()->set_kind("pod");
  named.mutable_src()->set_namespace_("shop");
  named.mutable_src()->set_name("web-0");
  seen.add(named);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.top(1)[0].source, "shop/web-0:1");
  EXPECT_EQ(seen.top(1)[0].bytes, 200U);
}

TEST(SeenFlows, OrdersEqualOnesByAddressSoThatRunsAgree) {
  SeenFlows seen;
  for (const auto port : {3U, 1U, 2U}) seen.add(moved(port, 100));
  const auto top = seen.top(3);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].source, "10.0.0.1:1");
  EXPECT_EQ(top[2].source, "10.0.0.1:3");
}

TEST(SeenFlows, IsBoundedAndStillKnowsTheTotal) {
  SeenFlows seen(2);
  for (const auto port : {1U, 2U, 3U}) seen.add(moved(port, 100));
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen.total().bytes, 300U);
}

TEST(RenderTalkers, ShowsTotalsAndShares) {
  SeenFlows seen;
  seen.add(moved(1, 3000));
  seen.add(moved(2, 1000));
  std::ostringstream out;
  render_talkers(seen, 10, {}, out);
  EXPECT_EQ(out.str(), R"(
Top talkers: 2 of 2 flows; 20 packets, 3.9 KiB in all
PROTO  SOURCE      DESTINATION    DIR     PACKETS    BYTES  SHARE
TCP    10.0.0.1:1  10.0.0.2:5432  egress       10  2.9 KiB  75.0%
TCP    10.0.0.1:2  10.0.0.2:5432  egress       10   1000 B  25.0%
)");
}

TEST(RenderTalkers, SaysNothingWhenNothingMoved) {
  std::ostringstream out;
  render_talkers(SeenFlows(), 10, {}, out);
  EXPECT_EQ(out.str(), "");
}

TEST(AccountingText, NamesEveryFateThatHappenedAndAlwaysTheLost) {
  EXPECT_EQ(accounting_text({}), "0 packets seen: 0 lost");
  EXPECT_EQ(accounting_text(thousand_seen()),
            "1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost");
}

TEST(AccountingText, TakesDifferencesOfOneAgentsCounters) {
  auto end = thousand_seen();
  end.mutable_counted()->set_packets(1000);
  end.mutable_lost()->set_packets(3);
  end.set_packet_events_lost(2);
  const auto moved = difference(end, thousand_seen());
  EXPECT_EQ(accounting_text(moved), "13 packets seen: 10 counted, 3 lost");
  EXPECT_EQ(moved.packet_events_lost(), 2U);
}

TEST(AccountingText, StartsAnewWithAnAgentThatWasRestarted) {
  v1::Accounting fresh;
  fresh.mutable_counted()->set_packets(5);
  EXPECT_EQ(accounting_text(difference(fresh, thousand_seen())),
            "5 packets seen: 5 counted, 0 lost");
}

}  // namespace
}  // namespace orb8
