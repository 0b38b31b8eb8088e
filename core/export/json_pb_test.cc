// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_pb.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "orb8/v1/agent.pb.h"

namespace orb8 {
namespace {

v1::NetworkEvent end_of_a_flow() {
  v1::NetworkEvent event;
  event.set_pod_name("web-0");
  event.set_src_port(51234);
  event.set_type(v1::EVENT_TYPE_FLOW_END);
  event.set_byte_count(std::numeric_limits<std::uint64_t>::max());
  event.set_timestamp_ns(1'700'000'000'000'000'001);
  event.set_tcp_flags(0x12);
  event.set_icmp_type(0);
  (*event.mutable_src()->mutable_labels())["app"] = "web";
  return event;
}

TEST(JsonPb, IsTheMappingThatProtobufDefines) {
  std::string text = "before ";
  append_json_pb(end_of_a_flow(), text);
  EXPECT_EQ(text,
            R"(before {"podName":"web-0","srcPort":51234,"timestampNs":"1700000000000000001",)"
            R"("type":"EVENT_TYPE_FLOW_END","byteCount":"18446744073709551615","tcpFlags":18,)"
            R"("icmpType":0,"src":{"labels":{"app":"web"}}})");
}

TEST(JsonPb, IsReadBackByProtobufItself) {
  const auto event = end_of_a_flow();
  std::string text;
  append_json_pb(event, text);
  v1::NetworkEvent read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text, &read).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(event, read));
}

TEST(JsonPb, IsOneLineThatNoTerminalObeys) {
  auto event = end_of_a_flow();
  event.set_pod_name("a\"\n\x1b[31m\x07");
  std::string text;
  append_json_pb(event, text);
  for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << text;
  EXPECT_EQ(nlohmann::json::parse(text)["podName"], event.pod_name());
}

}  // namespace
}  // namespace orb8
