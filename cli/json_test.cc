// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "orb8/v1/agent.pb.h"

namespace orb8 {
namespace {

TEST(Json, HasTheNamesOfTheProtoInItsOrder) {
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
  EXPECT_EQ(to_json(flow),
            R"({"namespace":"shop","pod_name":"web-0","src_ip":"10.0.0.1","dst_ip":"10.0.0.2",)"
            R"("src_port":1234,"dst_port":443,"protocol":"TCP","direction":"egress","bytes":5,)"
            R"("packets":1,"first_seen_ns":0,"last_seen_ns":0,"tcp_flags":0,"ifindex":0,)"
            R"("interface":"","cgroup_id":0,"process":"","pid":0,"container_id":"",)"
            R"("container_name":"","cgroup_path":"","netns":0,"socket_cookie":0,)"
            R"("connection_state":"","role":"","failure_reason":"","rtt_us":0,"min_rtt_us":0,)"
            R"("retransmits":0,"retransmitted_bytes":0,"payload_bytes":0,"unread_bytes":0,)"
            R"("unsent_bytes":0,"cwnd":0,"src_service":"","dst_service":"",)"
            R"("src_service_port":"","dst_service_port":""})");
}

TEST(Json, KeepsSixtyFourBitNumbersWhole) {
  v1::NetworkFlow flow;
  flow.set_bytes(std::numeric_limits<std::uint64_t>::max());
  flow.set_first_seen_ns(std::numeric_limits<std::int64_t>::max());
  const auto text = to_json(flow);
  EXPECT_NE(text.find(R"("bytes":18446744073709551615,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("first_seen_ns":9223372036854775807,)"), std::string::npos) << text;
}

TEST(Json, HasWhatSocketsTellAsNumbers) {
  v1::NetworkFlow flow;
  flow.set_socket_cookie(std::numeric_limits<std::uint64_t>::max());
  flow.set_netns(4'026'531'840);
  flow.set_rtt_us(1234);
  flow.set_retransmits(7);
  flow.set_retransmitted_bytes(5'000'000'000);
  flow.set_payload_bytes(10'000'000'000'000'000'001U);
  const auto text = to_json(flow);
  for (const char* field :
       {R"("socket_cookie":18446744073709551615,)", R"("netns":4026531840,)", R"("rtt_us":1234,)",
        R"("retransmits":7,)", R"("retransmitted_bytes":5000000000,)",
        R"("payload_bytes":10000000000000000001,)"}) {
    EXPECT_NE(text.find(field), std::string::npos) << field << " is not in " << text;
  }
}

TEST(Json, LeavesOutWhatIsOptionalAndNotSet) {
  v1::NetworkFlow flow;
  EXPECT_EQ(to_json(flow).find("icmp_type"), std::string::npos);
  flow.set_icmp_type(0);
  flow.set_icmp_code(0);
  EXPECT_NE(to_json(flow).find(R"("icmp_type":0,"icmp_code":0,)"), std::string::npos);
  EXPECT_EQ(to_json(v1::AgentStatus()).find("accounting"), std::string::npos);
}

TEST(Json, NamesEnumValuesAsTheProtoDoes) {
  v1::NetworkEvent event;
  event.set_type(v1::EVENT_TYPE_FLOW_START);
  EXPECT_NE(to_json(event).find(R"("type":"EVENT_TYPE_FLOW_START")"), std::string::npos);
}

TEST(Json, NestsMessagesAndLists) {
  v1::AgentStatus status;
  status.set_healthy(true);
  status.add_components()->set_name("grpc");
  status.mutable_accounting()->mutable_lost()->set_packets(7);
  const auto json = nlohmann::json::parse(to_json(status));
  EXPECT_EQ(json["healthy"], true);
  EXPECT_EQ(json["components"].size(), 1U);
  EXPECT_EQ(json["components"][0]["name"], "grpc");
  EXPECT_EQ(json["programs"], nlohmann::json::array());
  EXPECT_EQ(json["accounting"]["lost"]["packets"], 7);
  EXPECT_FALSE(json["accounting"].contains("counted"));
}

TEST(Json, HasMapsAsObjects) {
  v1::NetworkFlow flow;
  (*flow.mutable_src()->mutable_labels())["app.kubernetes.io/name"] = "web";
  const auto json = nlohmann::json::parse(to_json(flow));
  EXPECT_EQ(json["src"]["labels"]["app.kubernetes.io/name"], "web");
  EXPECT_FALSE(json.contains("dst"));
}

TEST(Json, IsOneLineOfPrintableAsciiWhateverTheNamesAre) {
  v1::NetworkFlow flow;
  flow.set_pod_name(
      "a\"\n\x1b[31m\xc2\x9b"
      "b");
  flow.set_namespace_("k\xc3\xb6ln");
  const auto text = to_json(flow);
  for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << text;
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["pod_name"], flow.pod_name());
  EXPECT_EQ(json["namespace"], flow.namespace_());
}

}  // namespace
}  // namespace orb8
