// SPDX-License-Identifier: Apache-2.0
#include "cli/render_flows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/render_test_data.h"

namespace orb8 {
namespace {

v1::QueryFlowsResponse answer() {
  use_utc();
  v1::QueryFlowsResponse answer;
  *answer.add_flows() = flow_to_db();
  auto& ping = *answer.add_flows();
  ping = flow_to_db();
  ping.set_src_ip("2001:db8:1234:5678:9abc:def0:1234:5678");
  ping.set_dst_ip("::1");
  ping.clear_src_port();
  ping.clear_dst_port();
  ping.set_protocol("ICMPv6");
  ping.set_icmp_type(128);
  ping.set_icmp_code(0);
  ping.set_tcp_flags(0);
  ping.set_cgroup_id(0);
  ping.set_bytes(98);
  ping.set_packets(1);
  answer.set_matched(2);
  *answer.mutable_accounting() = thousand_seen();
  return answer;
}

std::string rendered(const v1::QueryFlowsResponse& response, const RenderStyle& style) {
  std::ostringstream out;
  render_flows(response, style, out);
  return out.str();
}

TEST(RenderFlows, MakesATableThatEndsWithWhatBecameOfAllPackets) {
  EXPECT_EQ(rendered(answer(), {}), R"(
PROTO   SOURCE                                  DESTINATION       DIR     PACKETS    BYTES  LAST SEEN     FLAGS
TCP     10.0.0.1:51234                          10.0.0.2:5432     egress    1,234  1.2 MiB  22:13:22.005  SP.
ICMPv6  2001:db8:1234:5678:9abc:def0:1234:5678  ::1 echo-request  egress        1     98 B  22:13:22.005
2 flows; 1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost
)" + 1);
}

TEST(RenderFlows, AddsAllElseWhenWide) {
  EXPECT_EQ(rendered(answer(), {.output = OutputFormat::kWide, .terminal_width = 80}), R"(
PROTO   SOURCE                                  DESTINATION       DIR     PACKETS    BYTES  LAST SEEN     FLAGS  FIRST SEEN    INTERFACE  POD         CGROUP
TCP     10.0.0.1:51234                          10.0.0.2:5432     egress    1,234  1.2 MiB  22:13:22.005  SP.    22:13:20.000  eth0       shop/web-0    4711
ICMPv6  2001:db8:1234:5678:9abc:def0:1234:5678  ::1 echo-request  egress        1     98 B  22:13:22.005         22:13:20.000  eth0       shop/web-0       -
2 flows; 1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost
)" + 1);
}

TEST(RenderFlows, FitsATerminalOfEightyColumns) {
  EXPECT_EQ(rendered(answer(), {.terminal_width = 80}), R"(
PROTO  SOURCE                  DESTINATION      DIR PACKETS   BYTES LAST SEEN
TCP    10.0.0.1:51234          10.0.0.2:5432    out   1,234 1.2 MiB 22:13:22.005
ICMPv6 2001:db8:12…0:1234:5678 ::1 echo-request out       1    98 B 22:13:22.005
2 flows; 1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost
)" + 1);
}

TEST(RenderFlows, SaysHowManyMatchedBeyondTheLimit) {
  auto more = answer();
  more.set_matched(1500);
  more.clear_accounting();
  EXPECT_NE(rendered(more, {}).find("\n2 of 1,500 flows (--limit shows more)\n"),
            std::string::npos);
}

TEST(RenderFlows, HasAHeaderAndACountWhereThereAreNoFlows) {
  EXPECT_EQ(rendered({}, {}),
            "PROTO  SOURCE  DESTINATION  DIR  PACKETS  BYTES  LAST SEEN  FLAGS\n0 flows\n");
}

TEST(RenderFlows, PutsOneFlowOnALineAsJson) {
  const auto text = rendered(answer(), {.output = OutputFormat::kJson, .color = true});
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
  EXPECT_TRUE(text.starts_with(R"({"namespace":"shop","pod_name":"web-0","src_ip":"10.0.0.1",)"));
}

TEST(RenderFlows, ColoursOnlyWhenAskedTo) {
  EXPECT_EQ(rendered(answer(), {}).find('\x1b'), std::string::npos);
  EXPECT_TRUE(rendered(answer(), {.color = true}).starts_with("\x1b[1mPROTO"));
}

}  // namespace
}  // namespace orb8
