// SPDX-License-Identifier: Apache-2.0
#include "cli/render_groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/render_test_data.h"

namespace orb8 {
namespace {

v1::QueryFlowsResponse two_groups() {
  v1::QueryFlowsResponse answer;
  auto& web = *answer.add_groups();
  web.set_workload("shop/deployment/web");
  web.set_port(443);
  web.set_protocol("TCP");
  web.set_flows(4);
  web.set_sent_bytes(1'048'576);
  web.set_received_bytes(2'048);
  web.set_sent_packets(1'000);
  web.set_received_packets(500);
  web.set_connections(2);
  web.set_failed_connections(1);
  web.set_retransmits(3);
  web.set_smallest_rtt_us(300);
  web.set_largest_rtt_us(1'500);
  web.set_last_seen_ns(kNoon);
  auto& unknown = *answer.add_groups();
  unknown.set_protocol("ICMP");
  unknown.set_flows(1);
  unknown.set_last_seen_ns(kNoon);
  answer.set_matched(5);
  return answer;
}

std::string rendered(const v1::QueryFlowsResponse& answer, double seconds = 0,
                     OutputFormat output = OutputFormat::kTable) {
  use_utc();
  RenderStyle style;
  style.output = output;
  std::ostringstream out;
  render_groups(answer, {v1::GROUP_BY_WORKLOAD, v1::GROUP_BY_PORT}, seconds, style, out);
  return out.str();
}

TEST(RenderGroups, HasAColumnForEachOfWhatTheyAreGroupedBy) {
  EXPECT_EQ(rendered(two_groups()),
            "WORKLOAD             PORT        SENT  RECEIVED  PACKETS  FLOWS  CONNS  FAILED  "
            "RETRANS           RTT  LAST SEEN\n"
            "shop/deployment/web  443/TCP  1.0 MiB   2.0 KiB    1,500      4      2       1  "
            "      3  300us..1.5ms  22:13:20.000\n"
            "-                    ICMP         0 B       0 B        0      1      0       0  "
            "      0             -  22:13:20.000\n"
            "2 groups of 5 flows\n");
}

TEST(RenderGroups, HasRatesOverTheirTime) {
  EXPECT_EQ(rendered(two_groups(), 2).substr(0, rendered(two_groups(), 2).rfind("-  ")),
            "WORKLOAD             PORT           SENT    RECEIVED  PKT SENT  PKT RECV  CONNS  "
            "FAILED  RETRANS           RTT\n"
            "shop/deployment/web  443/TCP  4.2 Mbit/s  8.2 kbit/s   500.0/s   250.0/s      2  "
            "     1        3  300us..1.5ms\n");
  EXPECT_NE(rendered(two_groups(), 2).find("2 groups of 5 flows, over 2.0 s\n"), std::string::npos);
}

TEST(RenderGroups, SumsUpTheOthersInALastRow) {
  auto answer = two_groups();
  auto& others = *answer.add_groups();
  others.set_other_groups(36);
  others.set_sent_bytes(1'024);
  const auto text = rendered(answer);
  EXPECT_NE(text.find("\n36 others "), std::string::npos) << text;
  EXPECT_NE(text.find("\n2 of 38 groups (--top shows more) of 5 flows\n"), std::string::npos)
      << text;
}

TEST(RenderGroups, IsOneObjectALineAsJson) {
  const auto text = rendered(two_groups(), 0, OutputFormat::kJson);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.substr(0, 60), R"({"workload":"shop/deployment/web","protocol":"TCP","port":44)");
}

}  // namespace
}  // namespace orb8
