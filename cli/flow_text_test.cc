// SPDX-License-Identifier: Apache-2.0
#include "cli/flow_text.h"

#include <gtest/gtest.h>

namespace orb8 {
namespace {

v1::NetworkEvent between(const std::string& source, const std::string& destination) {
  v1::NetworkEvent event;
  event.set_src_ip(source);
  event.set_dst_ip(destination);
  event.set_protocol("TCP");
  return event;
}

TEST(FlowText, PutsPortsBehindAddresses) {
  auto event = between("10.0.0.1", "2001:db8::1");
  event.set_src_port(1234);
  event.set_dst_port(443);
  EXPECT_EQ(source_of(event), "10.0.0.1:1234");
  EXPECT_EQ(destination_of(event), "[2001:db8::1]:443");
}

TEST(FlowText, LeavesOutThePortThatAProtocolDoesNotHave) {
  const auto event = between("10.0.0.1", "::1");
  EXPECT_EQ(source_of(event), "10.0.0.1");
  EXPECT_EQ(destination_of(event), "::1");
}

TEST(FlowText, HasAStarForThePortsOfManyConnections) {
  auto event = between("10.0.0.1", "2001:db8::1");
  event.set_role("client");
  event.set_dst_port(443);
  EXPECT_EQ(source_of(event), "10.0.0.1:*");
  EXPECT_EQ(destination_of(event), "[2001:db8::1]:443");
  event.clear_dst_port();
  EXPECT_EQ(destination_of(event), "[2001:db8::1]:*");
}

TEST(FlowText, NamesTheTypeOfIcmpInThePortsPlace) {
  auto event = between("10.0.0.1", "10.0.0.2");
  event.set_protocol("ICMP");
  event.set_icmp_type(8);
  EXPECT_EQ(source_of(event), "10.0.0.1");
  EXPECT_EQ(destination_of(event), "10.0.0.2 echo-request");
  event.set_icmp_type(0);
  EXPECT_EQ(destination_of(event), "10.0.0.2 echo-reply");
  event.set_icmp_type(200);
  EXPECT_EQ(destination_of(event), "10.0.0.2 type 200");
}

void name(v1::Endpoint& endpoint, const char* kind, const char* name_space, const char* name) {
  endpoint.set_kind(kind);
  endpoint.set_namespace_(name_space);
  endpoint.set_name(name);
}

TEST(FlowText, NamesPodsServicesAndNodesOfTheCluster) {
  auto event = between("10.0.0.1", "10.0.0.2");
  event.set_src_port(1234);
  event.set_dst_port(443);
  name(*event.mutable_src(), "pod", "shop", "web-0");
  name(*event.mutable_dst(), "service", "shop", "db");
  EXPECT_EQ(source_of(event), "shop/web-0:1234");
  EXPECT_EQ(destination_of(event), "svc/shop/db:443");
  EXPECT_EQ(source_address_of(event), "10.0.0.1:1234");
  EXPECT_EQ(destination_address_of(event), "10.0.0.2:443");
  name(*event.mutable_dst(), "node", "", "node-1");
  event.mutable_dst()->set_uid("u1");
  EXPECT_EQ(destination_of(event), "node/node-1:443");
}

TEST(FlowText, KeepsTheAddressOfWhateverIsNotOfTheCluster) {
  auto event = between("10.0.0.1", "10.0.0.2");
  event.set_src_port(1234);
  event.set_dst_port(443);
  name(*event.mutable_src(), "process", "", "sshd");
  for (const auto* kind : {"node", "container", "external"}) {
    name(*event.mutable_dst(), kind, "", "someone");
    EXPECT_EQ(destination_of(event), "10.0.0.2:443") << kind;
  }
  EXPECT_EQ(source_of(event), "10.0.0.1:1234");
}

TEST(FlowText, PutsTheTypeOfIcmpBehindANameToo) {
  auto event = between("10.0.0.1", "10.0.0.2");
  event.set_protocol("ICMP");
  event.set_icmp_type(8);
  name(*event.mutable_dst(), "pod", "shop", "web-0");
  EXPECT_EQ(destination_of(event), "shop/web-0 echo-request");
}

TEST(FlowText, SaysWhoEverybodyIs) {
  v1::Endpoint endpoint;
  EXPECT_EQ(endpoint_text(endpoint), "-");
  name(endpoint, "external", "", "");
  EXPECT_EQ(endpoint_text(endpoint), "external");
  name(endpoint, "process", "", "sshd");
  EXPECT_EQ(endpoint_text(endpoint), "process/sshd");
  name(endpoint, "pod", "shop", "web-0");
  EXPECT_EQ(endpoint_text(endpoint), "shop/web-0");
}

TEST(FlowText, NamesTheServiceOfEitherSide) {
  auto event = between("10.0.0.1", "10.0.0.2");
  EXPECT_EQ(service_text(event), "-");
  event.set_src_service("shop/web");
  EXPECT_EQ(service_text(event), "shop/web");
  event.set_src_service_port("http");
  EXPECT_EQ(service_text(event), "shop/web:http");
  event.set_dst_service("shop/db");
  EXPECT_EQ(service_text(event), "shop/db");
}

TEST(FlowText, TellsTheTypesOfIcmpAndIcmpv6Apart) {
  auto event = between("fe80::1", "ff02::1");
  event.set_protocol("ICMPv6");
  event.set_icmp_type(134);
  EXPECT_EQ(icmp_text(event), "router-advertisement");
  event.set_icmp_type(3);
  EXPECT_EQ(icmp_text(event), "time-exceeded");
  event.set_protocol("ICMP");
  EXPECT_EQ(icmp_text(event), "unreachable");
  EXPECT_EQ(icmp_text(between("10.0.0.1", "10.0.0.2")), "");
}

TEST(FlowText, SaysTcpFlagsInTcpdumpsLetters) {
  EXPECT_EQ(tcp_flag_letters(0), "");
  EXPECT_EQ(tcp_flag_letters(0x02), "S");
  EXPECT_EQ(tcp_flag_letters(0x12), "S.");
  EXPECT_EQ(tcp_flag_letters(0x14), "R.");
  EXPECT_EQ(tcp_flag_letters(0xff), "SFPRUWE.");
  EXPECT_EQ(tcp_flags_text(0x12), "S.");
  EXPECT_EQ(tcp_flags_text(0), "-");
}

TEST(FlowText, ReadsBytesAndPacketsOfAnAgentThatDoesNotKnowOurFields) {
  auto event = between("10.0.0.1", "10.0.0.2");
  event.set_bytes(98);
  EXPECT_EQ(bytes_of(event), 98U);
  EXPECT_EQ(packets_of(event), 1U);
  event.set_type(v1::EVENT_TYPE_FLOW_UPDATE);
  event.set_byte_count(5'000'000'000);
  event.set_bytes(UINT32_MAX);
  event.set_packets(7);
  EXPECT_EQ(bytes_of(event), 5'000'000'000U);
  EXPECT_EQ(packets_of(event), 7U);
}

}  // namespace
}  // namespace orb8
