// Every attribute of a flow record, as a receiver decodes it.
// SPDX-License-Identifier: Apache-2.0
#include "core/export/otlp_logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <map>
#include <variant>

#include "core/export/otlp_attributes.h"

namespace orb8 {
namespace {

using opentelemetry::proto::logs::v1::LogRecord;
using Value = std::variant<std::string, std::int64_t>;
using Attributes = std::map<std::string, Value>;

template <class List>
Attributes attributes_of(const List& list) {
  Attributes all;
  for (const auto& one : list) {
    const Value value = one.value().has_int_value() ? Value(one.value().int_value())
                                                    : Value(one.value().string_value());
    EXPECT_TRUE(all.emplace(one.key(), value).second) << one.key() << " is there twice";
  }
  return all;
}

LogRecord told(const Event& record) {
  InterfaceNames names;
  LogRecord out;
  to_otlp(record, names, 9'000, out);
  LogRecord again;
  EXPECT_TRUE(again.ParseFromString(out.SerializeAsString()));
  return again;
}

EndpointRef pod(const char* name, const char* kind, const char* workload) {
  return std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kPod,
                                                   .name_space = "shop",
                                                   .name = name,
                                                   .uid = std::string(name) + "-uid",
                                                   .workload_kind = kind,
                                                   .workload = workload,
                                                   .node = "node-2",
                                                   .zone = "zone-a",
                                                   .labels = {{"app", workload}}});
}

Event tcp_record() {
  Event record;
  record.kind = EventKind::kFlowEnd;
  record.end_reason = EndReason::kClosed;
  auto& flow = record.flow;
  flow.key = {.src = *parse_addr("10.0.0.1"),
              .dst = *parse_addr("10.0.0.2"),
              .src_port = 4242,
              .dst_port = 80,
              .protocol = 6,
              .direction = Direction::kEgress,
              .socket = 77};
  flow.tcp_flags = kTcpSyn | kTcpAck;
  flow.packets = 12;
  flow.bytes = 3456;
  flow.payload_bytes = 2345;
  flow.first_seen_ns = 1'000;
  flow.last_seen_ns = 5'000;
  flow.socket = {.retransmitted_bytes = 99,
                 .netns = 4026531840,
                 .rtt_us = 150,
                 .min_rtt_us = 120,
                 .retransmits = 3,
                 .state = TCP_CLOSE,
                 .old_state = TCP_FIN_WAIT2,
                 .role = Role::kClient,
                 .error = ECONNRESET};
  const auto local = std::make_shared<const Owner>(Owner{.cgroup_id = 1,
                                                         .pid = 321,
                                                         .comm = "curl",
                                                         .cgroup_path = "/kubepods/x",
                                                         .container_id = std::string(64, 'a'),
                                                         .container_name = "main",
                                                         .endpoint = pod("web-1", "", "")});
  flow.owners = FlowOwners{
      .src = pod("web-1", "Deployment", "web"),
      .dst = pod("db-0", "StatefulSet", "db"),
      .dst_service = std::make_shared<const Endpoint>(Endpoint{
          .kind = EndpointKind::kService, .name_space = "shop", .name = "db", .port = "http"}),
      .local = local};
  return record;
}

TEST(OtlpLogs, TellAllThatIsKnownOfAConnectionBetweenPods) {
  const auto record = told(tcp_record());
  EXPECT_EQ(attributes_of(record.attributes()),
            (Attributes{{"source.address", "10.0.0.1"},
                        {"source.port", 4242},
                        {"destination.address", "10.0.0.2"},
                        {"destination.port", 80},
                        {"network.transport", "tcp"},
                        {"network.type", "ipv4"},
                        {"network.io.direction", "transmit"},
                        {"network.connection.state", "closed"},
                        {"orb8.flow.bytes", 3456},
                        {"orb8.flow.packets", 12},
                        {"orb8.flow.payload_bytes", 2345},
                        {"orb8.flow.start_time_unix_nano", 1000},
                        {"orb8.flow.end_reason", "closed"},
                        {"orb8.flow.verdict", "reset"},
                        {"orb8.tcp.flags", "SYN|ACK"},
                        {"orb8.tcp.role", "client"},
                        {"orb8.tcp.failure", "reset"},
                        {"orb8.tcp.rtt_us", 150},
                        {"orb8.tcp.min_rtt_us", 120},
                        {"orb8.tcp.retransmits", 3},
                        {"orb8.tcp.retransmitted_bytes", 99},
                        {"orb8.socket.cookie", 77},
                        {"orb8.socket.netns", 4026531840},
                        {"orb8.kind", "pod"},
                        {"k8s.namespace.name", "shop"},
                        {"k8s.pod.name", "web-1"},
                        {"k8s.pod.uid", "web-1-uid"},
                        {"k8s.deployment.name", "web"},
                        {"k8s.pod.label.app", "web"},
                        {"cloud.availability_zone", "zone-a"},
                        {"orb8.peer.kind", "pod"},
                        {"orb8.peer.k8s.namespace.name", "shop"},
                        {"orb8.peer.k8s.pod.name", "db-0"},
                        {"orb8.peer.k8s.pod.uid", "db-0-uid"},
                        {"orb8.peer.k8s.statefulset.name", "db"},
                        {"orb8.peer.k8s.pod.label.app", "db"},
                        {"orb8.peer.k8s.node.name", "node-2"},
                        {"orb8.peer.cloud.availability_zone", "zone-a"},
                        {"orb8.destination.service.namespace", "shop"},
                        {"orb8.destination.service.name", "db"},
                        {"orb8.destination.service.port", "http"},
                        {"process.pid", 321},
                        {"orb8.process.name", "curl"},
                        {"process.linux.cgroup", "/kubepods/x"},
                        {"container.id", std::string(64, 'a')},
                        {"k8s.container.name", "main"}}));
  EXPECT_EQ(record.time_unix_nano(), 5'000U);
  EXPECT_EQ(record.observed_time_unix_nano(), 9'000U);
  EXPECT_EQ(record.event_name(), "orb8.flow");
  EXPECT_EQ(record.severity_number(), opentelemetry::proto::logs::v1::SEVERITY_NUMBER_INFO);
  EXPECT_EQ(record.severity_text(), "INFO");
  EXPECT_EQ(record.body().string_value(),
            "10.0.0.1:4242 -> 10.0.0.2:80 TCP egress: 3456 bytes, 12 packets");
}

TEST(OtlpLogs, AreSeenFromTheOtherSideWhereTheFlowCameIn) {
  auto received = tcp_record();
  received.flow.key.direction = Direction::kIngress;
  const auto attributes = attributes_of(told(received).attributes());
  EXPECT_EQ(attributes.at("network.io.direction"), Value("receive"));
  EXPECT_EQ(attributes.at("k8s.pod.name"), Value("db-0"));
  EXPECT_EQ(attributes.at("orb8.peer.k8s.pod.name"), Value("web-1"));
}

TEST(OtlpLogs, SayNothingOfWhatNobodyKnows) {
  Event record;
  record.kind = EventKind::kFlowUpdate;
  record.flow.key = {.src = *parse_addr("fd00::1"),
                     .dst = *parse_addr("fd00::2"),
                     .src_port = 128,
                     .dst_port = 0,
                     .protocol = 58,
                     .direction = Direction::kIngress};
  record.flow.owners = FlowOwners{.src = external_endpoint()};
  EXPECT_EQ(attributes_of(told(record).attributes()),
            (Attributes{{"source.address", "fd00::1"},
                        {"destination.address", "fd00::2"},
                        {"orb8.icmp.type", 128},
                        {"orb8.icmp.code", 0},
                        {"network.transport", "icmpv6"},
                        {"network.type", "ipv6"},
                        {"network.io.direction", "receive"},
                        {"orb8.flow.bytes", 0},
                        {"orb8.flow.packets", 0},
                        {"orb8.flow.start_time_unix_nano", 0},
                        {"orb8.peer.kind", "external"}}));
  EXPECT_EQ(told(record).body().string_value(),
            "fd00::1 -> fd00::2 ICMPv6 ingress: 0 bytes, 0 packets");
}

TEST(OtlpLogs, AreUtf8WhateverAProcessIsCalled) {
  auto record = tcp_record();
  record.flow.owners = FlowOwners{.local = std::make_shared<const Owner>(Owner{.comm = "a\xff"})};
  EXPECT_EQ(attributes_of(told(record).attributes()).at("orb8.process.name"),
            Value("a\xEF\xBF\xBD"));
}

TEST(OtlpLogs, NameConnectionStatesAsTheConventionDoes) {
  const std::map<int, std::string> states = {{TCP_ESTABLISHED, "established"},
                                             {TCP_SYN_SENT, "syn_sent"},
                                             {TCP_SYN_RECV, "syn_received"},
                                             {TCP_FIN_WAIT1, "fin_wait_1"},
                                             {TCP_FIN_WAIT2, "fin_wait_2"},
                                             {TCP_TIME_WAIT, "time_wait"},
                                             {TCP_CLOSE, "closed"},
                                             {TCP_CLOSE_WAIT, "close_wait"},
                                             {TCP_LAST_ACK, "last_ack"},
                                             {TCP_LISTEN, "listen"},
                                             {TCP_CLOSING, "closing"}};
  for (const auto& [state, name] : states) {
    auto record = tcp_record();
    record.flow.socket.state = static_cast<std::uint8_t>(state);
    EXPECT_EQ(attributes_of(told(record).attributes()).at("network.connection.state"), Value(name));
  }
}

TEST(OtlpResource, SaysWhoTheAgentIs) {
  opentelemetry::proto::resource::v1::Resource resource;
  to_otlp({.node = "node-1", .version = "0.1.0", .instance = "i", .kubernetes = true}, resource);
  EXPECT_EQ(attributes_of(resource.attributes()), (Attributes{{"service.name", "orb8-agent"},
                                                              {"service.version", "0.1.0"},
                                                              {"service.instance.id", "i"},
                                                              {"host.name", "node-1"},
                                                              {"k8s.node.name", "node-1"}}));
  resource.Clear();
  to_otlp({.node = "host", .version = "0.1.0", .instance = "i"}, resource);
  EXPECT_FALSE(attributes_of(resource.attributes()).contains("k8s.node.name"));
  resource.Clear();
  to_otlp({.node = "host",
           .version = "0.1.0",
           .instance = "i",
           .more = {{"k8s.cluster.name", "one"}, {"service.name", "flows"}, {"host.name", ""}}},
          resource);
  EXPECT_EQ(attributes_of(resource.attributes()), (Attributes{{"service.name", "flows"},
                                                              {"service.version", "0.1.0"},
                                                              {"service.instance.id", "i"},
                                                              {"host.name", "host"},
                                                              {"k8s.cluster.name", "one"}}));
  EXPECT_EQ(resource.attributes_size(), 5) << "each once";
}

TEST(OtlpResource, IsAnotherOneWithEachStart) {
  const auto one = random_uuid();
  EXPECT_NE(one, random_uuid());
  EXPECT_THAT(one, ::testing::MatchesRegex(
                       "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

}  // namespace
}  // namespace orb8
