// Messages that the tests of the renderers share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <ctime>
#include <string>

#include "orb8/v1/agent.pb.h"

namespace orb8 {

// 2023-11-14 22:13:20 UTC
inline constexpr std::int64_t kNoon = 1'700'000'000'000'000'000;
inline constexpr std::int64_t kSecond = 1'000'000'000;

// Times are shown in local time, which a test has to choose.
inline void use_utc() {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
}

template <class Message>
Message web_to_db() {
  Message message;
  message.set_namespace_("shop");
  message.set_pod_name("web-0");
  message.set_src_ip("10.0.0.1");
  message.set_dst_ip("10.0.0.2");
  message.set_src_port(51234);
  message.set_dst_port(5432);
  message.set_protocol("TCP");
  message.set_direction("egress");
  message.set_tcp_flags(0x1a);  // SYN, PSH, ACK
  message.set_ifindex(2);
  message.set_interface("eth0");
  message.set_cgroup_id(4711);
  message.set_first_seen_ns(kNoon);
  return message;
}

// The same as a socket tells it.
template <class Message>
Message socket_flow_to_db() {
  auto message = web_to_db<Message>();
  message.set_tcp_flags(0);
  message.set_process("nginx");
  message.set_pid(4242);
  message.set_container_id("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  message.set_container_name("web");
  message.set_netns(4'026'531'840);
  message.set_socket_cookie(99);
  message.set_connection_state("ESTABLISHED");
  message.set_role("client");
  message.set_rtt_us(1234);
  message.set_min_rtt_us(350);
  message.set_retransmits(3);
  message.set_payload_bytes(1024);
  return message;
}

inline v1::NetworkFlow flow_to_db() {
  auto flow = web_to_db<v1::NetworkFlow>();
  flow.set_packets(1234);
  flow.set_bytes(1'258'291);
  flow.set_last_seen_ns(kNoon + 2 * kSecond + 5'000'000);
  return flow;
}

// What moved in the second before `at_ns`.
inline v1::NetworkEvent event_to_db(v1::EventType type, std::int64_t at_ns = kNoon) {
  auto event = web_to_db<v1::NetworkEvent>();
  event.set_type(type);
  event.set_timestamp_ns(at_ns);
  event.set_packets(10);
  event.set_byte_count(1500);
  event.set_bytes(1500);
  event.set_total_packets(100);
  event.set_total_bytes(15'000);
  return event;
}

inline v1::Accounting thousand_seen() {
  v1::Accounting seen;
  seen.mutable_counted()->set_packets(990);
  seen.mutable_counted()->set_bytes(99'000);
  seen.mutable_duplicate()->set_packets(4);
  seen.mutable_not_ip()->set_packets(6);
  return seen;
}

}  // namespace orb8
