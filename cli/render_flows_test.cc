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
ICMPv6  2001:db8:1234:5678:9abc:def0:1234:5678  ::1 echo-request  egress        1     98 B  22:13:22.005  -
2 flows; 1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost
)" + 1);
}

TEST(RenderFlows, AddsAllElseWhenWide) {
  EXPECT_EQ(rendered(answer(), {.output = OutputFormat::kWide, .terminal_width = 80}), R"(
PROTO   SOURCE                                  DESTINATION       DIR     PACKETS    BYTES  LAST SEEN     FLAGS  FIRST SEEN    INTERFACE  POD         FROM  TO  SERVICE  CGROUP  PROCESS  PID  CONTAINER  STATE  ROLE  RTT  MIN RTT  RETRANS  PAYLOAD  NETNS  FAILURE
TCP     10.0.0.1:51234                          10.0.0.2:5432     egress    1,234  1.2 MiB  22:13:22.005  SP.    22:13:20.000  eth0       shop/web-0  -     -   -          4711  -          -  -          -      -       -        -        -        -      -  -
ICMPv6  2001:db8:1234:5678:9abc:def0:1234:5678  ::1 echo-request  egress        1     98 B  22:13:22.005  -      22:13:20.000  eth0       shop/web-0  -     -   -             -  -          -  -          -      -       -        -        -        -      -  -
2 flows; 1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost
)" + 1);
}

v1::QueryFlowsResponse answer_of_sockets() {
  use_utc();
  v1::QueryFlowsResponse answer;
  auto& flow = *answer.add_flows();
  flow = socket_flow_to_db<v1::NetworkFlow>();
  flow.set_packets(12);
  flow.set_bytes(1900);
  flow.set_last_seen_ns(kNoon);
  flow.clear_interface();
  auto& refused = *answer.add_flows();
  refused = flow_to_db();
  refused.set_tcp_flags(0);
  refused.set_process("curl");
  refused.set_role("client");
  refused.clear_src_port();
  refused.set_failure_reason("refused");
  return answer;
}

TEST(RenderFlows, NamesTheProcessWhereOneIsKnown) {
  EXPECT_EQ(rendered(answer_of_sockets(), {}), R"(
PROTO  SOURCE          DESTINATION    DIR     PACKETS    BYTES  LAST SEEN     FLAGS  PROCESS
TCP    10.0.0.1:51234  10.0.0.2:5432  egress       12  1.9 KiB  22:13:20.000  -      web
TCP    10.0.0.1:*      10.0.0.2:5432  egress    1,234  1.2 MiB  22:13:22.005  -      curl
2 flows
)" + 1);
}

TEST(RenderFlows, AddsWhatSocketsKnowWhenWide) {
  EXPECT_EQ(rendered(answer_of_sockets(), {.output = OutputFormat::kWide}), R"(
PROTO  SOURCE          DESTINATION    DIR     PACKETS    BYTES  LAST SEEN     FLAGS  FIRST SEEN    INTERFACE  POD         FROM  TO  SERVICE  CGROUP  PROCESS   PID  CONTAINER  STATE        ROLE      RTT  MIN RTT  RETRANS  PAYLOAD       NETNS  FAILURE
TCP    10.0.0.1:51234  10.0.0.2:5432  egress       12  1.9 KiB  22:13:20.000  -      22:13:20.000  -          shop/web-0  -     -   -          4711  nginx    4242  web        ESTABLISHED  client  1.2ms    350us        3  1.0 KiB  4026531840  -
TCP    10.0.0.1:*      10.0.0.2:5432  egress    1,234  1.2 MiB  22:13:22.005  -      22:13:20.000  eth0       shop/web-0  -     -   -          4711  curl        -  -          -            client      -        -        0      0 B           -  refused
2 flows
)" + 1);
}

v1::QueryFlowsResponse answer_of_a_cluster() {
  use_utc();
  v1::QueryFlowsResponse answer;
  auto& flow = *answer.add_flows();
  flow = flow_to_db();
  flow.mutable_src()->set_kind("pod");
  flow.mutable_src()->set_namespace_("shop");
  flow.mutable_src()->set_name("web-0");
  flow.mutable_dst()->set_kind("service");
  flow.mutable_dst()->set_namespace_("shop");
  flow.mutable_dst()->set_name("db");
  flow.set_dst_service("shop/db");
  flow.set_dst_service_port("sql");
  return answer;
}

TEST(RenderFlows, NamesBothSides) {
  EXPECT_EQ(rendered(answer_of_a_cluster(), {}), R"(
PROTO  SOURCE            DESTINATION       DIR     PACKETS    BYTES  LAST SEEN     FLAGS
TCP    shop/web-0:51234  svc/shop/db:5432  egress    1,234  1.2 MiB  22:13:22.005  SP.
1 flow
)" + 1);
}

TEST(RenderFlows, ShowsTheServiceBesideThePodBehindIt) {
  auto behind = answer_of_a_cluster();
  behind.mutable_flows(0)->mutable_dst()->set_kind("pod");
  behind.mutable_flows(0)->mutable_dst()->set_name("db-0");
  EXPECT_EQ(rendered(behind, {}), R"(
PROTO  SOURCE            DESTINATION     DIR     PACKETS    BYTES  LAST SEEN     FLAGS  SERVICE
TCP    shop/web-0:51234  shop/db-0:5432  egress    1,234  1.2 MiB  22:13:22.005  SP.    shop/db:sql
1 flow
)" + 1);
  EXPECT_EQ(rendered(behind, {.terminal_width = 80}), R"(
PROTO SOURCE           DESTINATION    DIR PACKETS   BYTES LAST SEEN    FLAGS
TCP   shop/web-0:51234 shop/db-0:5432 out   1,234 1.2 MiB 22:13:22.005 SP.
1 flow
)" + 1);
}

TEST(RenderFlows, ShowsAddressesBesideNamesWhenWide) {
  const auto text = rendered(answer_of_a_cluster(), {.output = OutputFormat::kWide});
  EXPECT_NE(text.find("10.0.0.1:51234  10.0.0.2:5432 "), std::string::npos) << text;
  EXPECT_NE(text.find("shop/web-0  shop/web-0  svc/shop/db  shop/db:sql "), std::string::npos)
      << text;
}

TEST(RenderFlows, SaysWhyConnectionsFailedWhereThatIsAskedFor) {
  EXPECT_EQ(rendered(answer_of_sockets(), {.terminal_width = 80, .failures = true}), R"(
PROTO SOURCE         DESTINATION   DIR PACKETS   BYTES PROCESS REASON
TCP   10.0.0.1:51234 10.0.0.2:5432 out      12 1.9 KiB web     -
TCP   10.0.0.1:*     10.0.0.2:5432 out   1,234 1.2 MiB curl    refused
2 flows
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
