// SPDX-License-Identifier: Apache-2.0
#include "core/export/json.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "orb8/v1/agent.pb.h"

namespace orb8 {
namespace {

using nlohmann::json;

v1::NetworkFlow https() {
  v1::NetworkFlow flow;
  flow.set_namespace_("shop");
  flow.set_pod_name("web-0");
  flow.set_src_ip("10.0.0.1");
  flow.set_dst_ip("10.0.0.2");
  flow.set_src_port(1234);
  flow.set_dst_port(443);
  flow.set_protocol("TCP");
  flow.set_direction("egress");
  flow.set_bytes(5);
  flow.set_packets(1);
  flow.set_first_seen_ns(1'700'000'000'000'000'001);
  flow.set_last_seen_ns(1'700'000'001'500'000'000);
  return flow;
}

TEST(Json, HasWhatIsKnownInTheOrderOfTheContract) {
  EXPECT_EQ(to_json(https()),
            R"({"namespace":"shop","pod_name":"web-0","src_ip":"10.0.0.1","dst_ip":"10.0.0.2",)"
            R"("src_port":1234,"dst_port":443,"protocol":"TCP","direction":"egress","bytes":5,)"
            R"("packets":1,"first_seen":"2023-11-14T22:13:20.000000001Z",)"
            R"("last_seen":"2023-11-14T22:13:21.500000000Z"})");
}

TEST(Json, IsAnEmptyObjectOfAnEmptyMessage) {
  EXPECT_EQ(to_json(v1::Endpoint()), "{}");
}

TEST(Json, KeepsSixtyFourBitNumbersWhole) {
  auto flow = https();
  flow.set_bytes(std::numeric_limits<std::uint64_t>::max());
  flow.set_socket_cookie(10'000'000'000'000'000'001U);
  const auto text = to_json(flow);
  EXPECT_NE(text.find(R"("bytes":18446744073709551615,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("socket_cookie":10000000000000000001,)"), std::string::npos) << text;
}

TEST(Json, KeepsTheZerosThatAreNumbers) {
  auto flow = https();
  flow.set_bytes(0);
  flow.set_packets(0);
  flow.set_src_port(0);
  const auto object = json::parse(to_json(flow));
  EXPECT_EQ(object["bytes"], 0);
  EXPECT_EQ(object["packets"], 0);
  EXPECT_EQ(object["src_port"], 0);
  const auto status = json::parse(to_json(v1::AgentStatus()));
  EXPECT_EQ(status["healthy"], false);
  EXPECT_EQ(status["events_dropped"], 0);
  EXPECT_FALSE(status.contains("accounting"));
}

TEST(Json, HasWhatASocketCountsWhereThereIsOne) {
  auto flow = https();
  EXPECT_FALSE(json::parse(to_json(flow)).contains("retransmits"));
  flow.set_socket_cookie(7);
  const auto object = json::parse(to_json(flow));
  for (const auto* name :
       {"retransmits", "retransmitted_bytes", "payload_bytes", "unread_bytes", "unsent_bytes"}) {
    EXPECT_EQ(object.value(name, -1), 0) << name;
  }
  EXPECT_FALSE(object.contains("rtt_us")) << "not measured yet";
}

TEST(Json, HasTheZerosOfAGroupAndNoNameThatNobodyKnows) {
  v1::FlowGroup group;
  group.set_workload("shop/deployment/web");
  group.set_protocol("TCP");
  group.set_port(0);
  const auto object = json::parse(to_json(group));
  EXPECT_EQ(object["workload"], "shop/deployment/web");
  EXPECT_EQ(object["port"], 0);
  EXPECT_EQ(object["retransmits"], 0);
  EXPECT_EQ(object["sent_bytes"], 0);
  for (const auto* name : {"pod", "peer_workload", "largest_rtt_us", "other_groups"}) {
    EXPECT_FALSE(object.contains(name)) << name;
  }
}

TEST(Json, HasTypeAndCodeOfIcmpInsteadOfPorts) {
  auto ping = https();
  ping.clear_src_port();
  ping.clear_dst_port();
  ping.set_icmp_type(0);
  ping.set_icmp_code(0);
  const auto object = json::parse(to_json(ping));
  EXPECT_EQ(object["icmp_type"], 0);
  EXPECT_EQ(object["icmp_code"], 0);
  EXPECT_FALSE(object.contains("src_port"));
  EXPECT_FALSE(object.contains("dst_port"));
}

TEST(Json, HasAllBytesOfAnEvent) {
  v1::NetworkEvent event;
  event.set_type(v1::EVENT_TYPE_FLOW_START);
  event.set_bytes(std::numeric_limits<std::uint32_t>::max());
  event.set_byte_count(5'000'000'000);
  event.set_timestamp_ns(1);
  const auto object = json::parse(to_json(event));
  EXPECT_EQ(object["bytes"], 5'000'000'000U);
  EXPECT_FALSE(object.contains("byte_count"));
  EXPECT_EQ(object["type"], "flow_start");
  EXPECT_EQ(object["time"], "1970-01-01T00:00:00.000000001Z");
}

TEST(Json, WritesAnUnknownTypeAsItsNumber) {
  v1::NetworkEvent event;
  event.set_type(static_cast<v1::EventType>(99));
  EXPECT_EQ(json::parse(to_json(event))["type"], 99);
}

TEST(Json, ListsTcpFlags) {
  auto flow = https();
  flow.set_tcp_flags(0x12);
  EXPECT_EQ(json::parse(to_json(flow))["tcp_flags"], (json{"SYN", "ACK"}));
}

TEST(Json, NestsMessagesAndLists) {
  v1::AgentStatus status;
  status.set_healthy(true);
  status.add_components()->set_name("grpc");
  status.mutable_accounting()->mutable_lost()->set_packets(7);
  const auto object = json::parse(to_json(status));
  EXPECT_EQ(object["healthy"], true);
  ASSERT_EQ(object["components"].size(), 1U);
  EXPECT_EQ(object["components"][0]["name"], "grpc");
  EXPECT_FALSE(object.contains("programs"));
  EXPECT_EQ(object["accounting"]["lost"]["packets"], 7);
  EXPECT_FALSE(object["accounting"].contains("counted"));
}

TEST(Json, HasMapsAsObjectsInTheOrderOfTheirKeys) {
  v1::Endpoint endpoint;
  (*endpoint.mutable_labels())["tier"] = "front";
  (*endpoint.mutable_labels())["app.kubernetes.io/name"] = "web";
  EXPECT_EQ(to_json(endpoint), R"({"labels":{"app.kubernetes.io/name":"web","tier":"front"}})");
}

TEST(Json, IsOneLineOfPrintableAsciiWhateverTheNamesAre) {
  auto flow = https();
  flow.set_pod_name(
      "a\"\n\x1b[31m\xc2\x9b"
      "b");
  flow.set_namespace_("k\xc3\xb6ln");
  const auto text = to_json(flow);
  for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << text;
  const auto object = json::parse(text);
  EXPECT_EQ(object["pod_name"], flow.pod_name());
  EXPECT_EQ(object["namespace"], flow.namespace_());
}

}  // namespace
}  // namespace orb8
