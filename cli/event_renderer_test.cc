// SPDX-License-Identifier: Apache-2.0
#include "cli/event_renderer.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/format.h"
#include "cli/render_test_data.h"

namespace orb8 {
namespace {

std::string rendered(const std::vector<v1::NetworkEvent>& events, const RenderStyle& style) {
  use_utc();
  std::ostringstream out;
  EventRenderer renderer(style);
  renderer.header(out);
  for (const auto& event : events) renderer.render(event, 1, out);
  return out.str();
}

std::vector<v1::NetworkEvent> life_of_a_flow() {
  auto end = event_to_db(v1::EVENT_TYPE_FLOW_END, kNoon + 3 * kSecond);
  end.set_end_reason("closed");
  return {event_to_db(v1::EVENT_TYPE_FLOW_START),
          event_to_db(v1::EVENT_TYPE_FLOW_UPDATE, kNoon + kSecond), end};
}

TEST(EventRenderer, ShowsWhatMovedAndInTheEndTheTotals) {
  EXPECT_EQ(rendered(life_of_a_flow(), {}), R"(
TIME          EVENT   PROTO   SOURCE                 DESTINATION            DIR      PACKETS      BYTES          RATE  FLAGS  PROCESS
22:13:20.000  START   TCP     10.0.0.1:51234         10.0.0.2:5432          egress        10    1.5 KiB   12.0 kbit/s  SP.    -
22:13:21.000  UPDATE  TCP     10.0.0.1:51234         10.0.0.2:5432          egress        10    1.5 KiB   12.0 kbit/s  SP.    -
22:13:23.000  END     TCP     10.0.0.1:51234         10.0.0.2:5432          egress       100   14.6 KiB  120.0 kbit/s  SP.    -
)" + 1);
}

TEST(EventRenderer, AddsAllElseWhenWide) {
  EXPECT_EQ(rendered(life_of_a_flow(), {.output = OutputFormat::kWide, .terminal_width = 80}), R"(
TIME          EVENT   PROTO   SOURCE                 DESTINATION            DIR      PACKETS      BYTES          RATE  FLAGS  INTERFACE  POD               FROM              TO                SERVICE  TOTAL PACKETS  TOTAL BYTES  FIRST SEEN    CGROUP  END      PROCESS      PID  CONTAINER  STATE        ROLE        RTT  MIN RTT  RETRANS    PAYLOAD       NETNS  FAILURE
22:13:20.000  START   TCP     10.0.0.1:51234         10.0.0.2:5432          egress        10    1.5 KiB   12.0 kbit/s  SP.    eth0       shop/web-0        -                 -                 -                  100     14.6 KiB  22:13:20.000    4711  -        -              -  -          -            -             -        -        -          -           -  -
22:13:21.000  UPDATE  TCP     10.0.0.1:51234         10.0.0.2:5432          egress        10    1.5 KiB   12.0 kbit/s  SP.    eth0       shop/web-0        -                 -                 -                  100     14.6 KiB  22:13:20.000    4711  -        -              -  -          -            -             -        -        -          -           -  -
22:13:23.000  END     TCP     10.0.0.1:51234         10.0.0.2:5432          egress       100   14.6 KiB  120.0 kbit/s  SP.    eth0       shop/web-0        -                 -                 -                  100     14.6 KiB  22:13:20.000    4711  closed   -              -  -          -            -             -        -        -          -           -  -
)" + 1);
}

v1::NetworkEvent end_of_a_refused_connection() {
  auto event = socket_flow_to_db<v1::NetworkEvent>();
  event.set_type(v1::EVENT_TYPE_FLOW_END);
  event.set_timestamp_ns(kNoon);
  event.set_connection_state("CLOSE");
  event.set_failure_reason("unreachable");
  event.set_total_packets(1);
  event.set_total_bytes(74);
  event.set_end_reason("closed");
  event.clear_interface();
  return event;
}

TEST(EventRenderer, AddsWhatSocketsKnowWhenWide) {
  EXPECT_EQ(rendered({end_of_a_refused_connection()}, {.output = OutputFormat::kWide}), R"(
TIME          EVENT   PROTO   SOURCE                 DESTINATION            DIR      PACKETS      BYTES          RATE  FLAGS  INTERFACE  POD               FROM              TO                SERVICE  TOTAL PACKETS  TOTAL BYTES  FIRST SEEN    CGROUP  END      PROCESS      PID  CONTAINER  STATE        ROLE        RTT  MIN RTT  RETRANS    PAYLOAD       NETNS  FAILURE
22:13:20.000  END     TCP     10.0.0.1:51234         10.0.0.2:5432          egress         1       74 B     592 bit/s  -      -          shop/web-0        -                 -                 -                    1         74 B  22:13:20.000    4711  closed   nginx       4242  web        CLOSE        client    1.2ms    350us        3    1.0 KiB  4026531840  unreachable
)" + 1);
}

TEST(EventRenderer, SaysWhoFailedAndWhyWhereThatIsAskedFor) {
  EXPECT_EQ(rendered({end_of_a_refused_connection()}, {.failures = true}), R"(
TIME          EVENT   PROTO   SOURCE                 DESTINATION            DIR      PACKETS      BYTES          RATE  FLAGS  PROCESS       REASON
22:13:20.000  END     TCP     10.0.0.1:51234         10.0.0.2:5432          egress         1       74 B     592 bit/s  -      web           unreachable
)" + 1);
}

TEST(EventRenderer, KeepsTheReasonInEightyColumns) {
  EXPECT_EQ(rendered({end_of_a_refused_connection()}, {.terminal_width = 80, .failures = true}), R"(
TIME         SOURCE             DESTINATION         DIR PROCESS      REASON
22:13:20.000 10.0.0.1:51234     10.0.0.2:5432       out web          unreachable
)" + 1);
}

TEST(EventRenderer, ShowsWholeIpv4AddressesInEightyColumns) {
  EXPECT_EQ(rendered(life_of_a_flow(), {.terminal_width = 80}), R"(
TIME         EVENT  PROTO  SOURCE              DESTINATION         DIR     BYTES
22:13:20.000 START  TCP    10.0.0.1:51234      10.0.0.2:5432       out   1.5 KiB
22:13:21.000 UPDATE TCP    10.0.0.1:51234      10.0.0.2:5432       out   1.5 KiB
22:13:23.000 END    TCP    10.0.0.1:51234      10.0.0.2:5432       out  14.6 KiB
)" + 1);
}

TEST(EventRenderer, FollowsATerminalThatChangesItsWidth) {
  use_utc();
  EventRenderer renderer({.terminal_width = 80});
  for (const std::size_t width : {60U, 80U, 100U, 140U}) {
    std::ostringstream out;
    renderer.set_terminal_width(width);
    renderer.render(event_to_db(v1::EVENT_TYPE_FLOW_UPDATE), 1, out);
    EXPECT_LE(display_width(out.str()), width + 1) << out.str();
    EXPECT_EQ(out.str().find("12.0 kbit/s") != std::string::npos, width == 140U) << out.str();
  }
}

v1::NetworkEvent event_to_a_service() {
  auto event = event_to_db(v1::EVENT_TYPE_FLOW_START);
  event.mutable_src()->set_kind("pod");
  event.mutable_src()->set_namespace_("shop");
  event.mutable_src()->set_name("web-0");
  event.mutable_dst()->set_kind("pod");
  event.mutable_dst()->set_namespace_("shop");
  event.mutable_dst()->set_name("db-0");
  event.set_dst_service("shop/db");
  return event;
}

TEST(EventRenderer, NamesBothSides) {
  const auto text = rendered({event_to_a_service()}, {});
  EXPECT_NE(text.find("shop/web-0:51234       shop/db-0:5432 "), std::string::npos) << text;
  const auto wide = rendered({event_to_a_service()}, {.output = OutputFormat::kWide});
  EXPECT_NE(wide.find("10.0.0.1:51234         10.0.0.2:5432 "), std::string::npos) << wide;
  EXPECT_NE(wide.find("shop/web-0        shop/db-0         shop/db "), std::string::npos) << wide;
}

TEST(EventRenderer, HasNoRateForWhatIsTooShort) {
  use_utc();
  std::ostringstream out;
  EventRenderer({}).render(event_to_db(v1::EVENT_TYPE_FLOW_START), 0, out);
  EXPECT_NE(out.str().find("1.5 KiB             -  SP.    -\n"), std::string::npos) << out.str();
}

TEST(EventRenderer, SaysWhereEventsWereLost) {
  auto event = event_to_db(v1::EVENT_TYPE_FLOW_UPDATE);
  event.set_dropped_before(1500);
  EXPECT_NE(rendered({event}, {}).find("\n1,500 events lost here, read too slowly\n22:13:20.000"),
            std::string::npos);
}

TEST(EventRenderer, PutsOneEventOnALineAsJson) {
  const auto text = rendered(life_of_a_flow(), {.output = OutputFormat::kJson, .color = true});
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
  EXPECT_TRUE(text.starts_with(R"({"namespace":"shop",)")) << text;
  EXPECT_NE(text.find(R"("type":"flow_end","packets":10,"bytes":1500,)"), std::string::npos);
}

TEST(EventRenderer, ColoursStartsAndEnds) {
  const auto text = rendered(life_of_a_flow(), {.color = true});
  EXPECT_NE(text.find("\n\x1b[32m22:13:20.000  START"), std::string::npos);
  EXPECT_NE(text.find("\n22:13:21.000  UPDATE"), std::string::npos);
  EXPECT_NE(text.find("\n\x1b[2m22:13:23.000  END"), std::string::npos);
}

v1::NetworkEvent packet() {
  use_utc();
  auto event = event_to_db(v1::EVENT_TYPE_PACKET);
  event.set_packets(1);
  event.set_bytes(74);
  event.set_byte_count(74);
  event.set_tcp_flags(0x12);
  return event;
}

TEST(PacketLine, ReadsAsTcpdumpsDo) {
  EXPECT_EQ(packet_line(packet(), {}),
            "22:13:20.000 egress  TCP 10.0.0.1:51234 > 10.0.0.2:5432: flags [S.], length 74");
}

TEST(PacketLine, NamesBothSides) {
  auto named = event_to_a_service();
  named.set_type(v1::EVENT_TYPE_PACKET);
  EXPECT_NE(packet_line(named, {}).find("TCP shop/web-0:51234 > shop/db-0:5432: "),
            std::string::npos);
  EXPECT_TRUE(packet_line(named, {.output = OutputFormat::kWide})
                  .ends_with("shop/web-0 > shop/db-0, service shop/db, cgroup 4711"));
  named.set_protocol("ICMP");
  named.set_icmp_type(8);
  EXPECT_NE(packet_line(named, {}).find(" > shop/db-0: echo-request, "), std::string::npos);
}

TEST(PacketLine, SaysHowManyPacketsASuperPacketIs) {
  auto gso = packet();
  gso.set_packets(3);
  gso.set_byte_count(4434);
  EXPECT_TRUE(packet_line(gso, {}).ends_with(": flags [S.], length 4434 in 3 packets"));
}

TEST(PacketLine, NamesTheTypeOfIcmp) {
  auto ping = packet();
  ping.set_protocol("ICMP");
  ping.set_direction("ingress");
  ping.set_icmp_type(8);
  ping.clear_src_port();
  ping.clear_dst_port();
  ping.set_bytes(98);
  ping.set_byte_count(98);
  EXPECT_EQ(packet_line(ping, {}),
            "22:13:20.000 ingress ICMP 10.0.0.1 > 10.0.0.2: echo-request, length 98");
}

TEST(PacketLine, HasNoFlagsForUdp) {
  auto udp = packet();
  udp.set_protocol("UDP");
  EXPECT_TRUE(packet_line(udp, {}).ends_with("10.0.0.2:5432: length 74"));
}

TEST(PacketLine, AddsInterfacePodAndCgroupWhenWide) {
  EXPECT_EQ(packet_line(packet(), {.output = OutputFormat::kWide}),
            "22:13:20.000 eth0 egress  TCP 10.0.0.1:51234 > 10.0.0.2:5432: flags [S.], length 74, "
            "shop/web-0, cgroup 4711");
}

TEST(PacketLine, ShortensLongAddressesToFitTheTerminal) {
  auto event = packet();
  event.set_src_ip("2001:db8:1234:5678:9abc:def0:1234:5678");
  event.set_dst_ip("2001:db8:1234:5678:9abc:def0:1234:9999");
  EXPECT_EQ(packet_line(event, {.terminal_width = 100}),
            "22:13:20.000 egress  TCP [2001:db8:12…5678]:51234 > [2001:db8:12…:9999]:5432: "
            "flags [S.], length 74");
  EXPECT_LE(display_width(packet_line(event, {.terminal_width = 100})), 100U);
}

TEST(PacketLine, MakesNamesHarmless) {
  auto event = packet();
  event.set_pod_name("\x1b[2J");
  EXPECT_EQ(packet_line(event, {.output = OutputFormat::kWide}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace orb8
