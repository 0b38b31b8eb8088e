// What each command prints in each format, letter by letter: tests/data/golden/. After a change
// that is wanted, write them anew and read the difference:
//   ORB8_WRITE_GOLDEN=1 build/release/tests/cli_test --gtest_filter='*Golden*'
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/event_renderer.h"
#include "cli/render_flows.h"
#include "cli/render_pods.h"
#include "cli/render_status.h"
#include "cli/render_test_data.h"

namespace orb8 {
namespace {

constexpr const char* kFolder = "tests/data/golden/";

// --- what is printed ---

void put_pod(const std::string& name, v1::Endpoint& out) {
  out.set_kind("pod");
  out.set_namespace_("shop");
  out.set_name(name);
  out.set_workload_kind("Deployment");
  out.set_workload(name.substr(0, name.find('-')));
  out.set_node("node-1");
}

// Between two pods, through a Service, as their sockets tell it.
template <class Message>
Message named() {
  auto message = socket_flow_to_db<Message>();
  put_pod("web-0", *message.mutable_src());
  put_pod("db-0", *message.mutable_dst());
  (*message.mutable_src()->mutable_labels())["app"] = "web";
  message.set_dst_service("shop/db");
  message.set_dst_service_port("postgres");
  return message;
}

template <class Message>
Message ping() {
  auto message = web_to_db<Message>();
  message.set_namespace_("external");
  message.set_pod_name("unknown");
  message.set_protocol("ICMP");
  message.set_direction("ingress");
  message.clear_src_port();
  message.clear_dst_port();
  message.clear_tcp_flags();
  message.set_icmp_type(8);
  message.set_icmp_code(0);
  message.mutable_src()->set_kind("external");
  message.mutable_dst()->set_kind("node");
  message.mutable_dst()->set_name("node-1");
  message.mutable_dst()->set_uid("u1");
  return message;
}

template <class Message>
Message refused() {
  auto message = socket_flow_to_db<Message>();
  message.set_src_ip("2001:db8::1");
  message.set_dst_ip("2001:db8:0:1::aaaa");
  message.set_connection_state("CLOSE");
  message.set_failure_reason("refused");
  message.set_process("\x1b[31mevil");
  message.clear_container_id();
  message.clear_container_name();
  return message;
}

v1::QueryFlowsResponse flows() {
  v1::QueryFlowsResponse answer;
  std::uint64_t bytes = 5'000'000'000;
  for (const auto& flow : {named<v1::NetworkFlow>(), web_to_db<v1::NetworkFlow>(),
                           refused<v1::NetworkFlow>(), ping<v1::NetworkFlow>()}) {
    auto& row = *answer.add_flows();
    row = flow;
    row.set_bytes(bytes);
    row.set_packets(bytes / 100);
    row.set_last_seen_ns(kNoon + 2 * kSecond + 5'000'001);
    bytes /= 1000;
  }
  answer.set_matched(41);
  *answer.mutable_accounting() = thousand_seen();
  return answer;
}

v1::NetworkEvent happened(v1::NetworkEvent event, v1::EventType type, int second) {
  event.set_type(type);
  event.set_timestamp_ns(kNoon + second * kSecond + 123'456'789);
  event.set_packets(type == v1::EVENT_TYPE_PACKET ? 1 : 10);
  event.set_byte_count(1500);
  event.set_bytes(1500);
  event.set_total_packets(100);
  event.set_total_bytes(15'000);
  return event;
}

std::vector<v1::NetworkEvent> events() {
  std::vector<v1::NetworkEvent> all = {
      happened(named<v1::NetworkEvent>(), v1::EVENT_TYPE_FLOW_START, 0),
      happened(named<v1::NetworkEvent>(), v1::EVENT_TYPE_FLOW_UPDATE, 1),
      happened(web_to_db<v1::NetworkEvent>(), v1::EVENT_TYPE_PACKET, 2),
      happened(ping<v1::NetworkEvent>(), v1::EVENT_TYPE_PACKET, 3),
      happened(refused<v1::NetworkEvent>(), v1::EVENT_TYPE_FLOW_END, 4),
      happened(named<v1::NetworkEvent>(), v1::EVENT_TYPE_FLOW_END, 5)};
  all[4].set_end_reason("closed");
  all[5].set_end_reason("idle");
  all[5].set_dropped_before(1500);
  return all;
}

v1::QueryPodsResponse pods() {
  v1::QueryPodsResponse answer;
  answer.set_node_name("node-1");
  answer.set_kubernetes(true);
  auto& web = *answer.add_pods();
  web.set_namespace_("shop");
  web.set_name("web-0");
  web.set_uid("5d1f3c2a-1234-1234-1234-0123456789ab");
  web.add_ips("10.0.0.1");
  web.add_ips("2001:db8::1");
  web.set_node("node-1");
  web.set_zone("eu-1a");
  web.set_workload_kind("Deployment");
  web.set_workload("web");
  auto& container = *web.add_containers();
  container.set_name("nginx");
  container.set_id("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  web.add_containers()->set_name("sidecar");
  web.set_cgroup_found(true);
  (*web.mutable_labels())["app"] = "web";
  auto& job = *answer.add_pods();
  job.set_namespace_("batch");
  job.set_name("train-0");
  job.set_uid("6e2a");
  job.set_node("node-2");
  job.set_host_network(true);
  job.set_finished(true);
  return answer;
}

v1::AgentStatus status() {
  v1::AgentStatus status;
  status.set_node_name("node-1");
  status.set_version("0.1.0");
  status.set_health_message("kube: the API server refuses");
  status.set_uptime_seconds(192);
  status.set_flow_source("socket");
  status.set_flow_source_reason("the kernel has all that it needs");
  status.set_events_processed(1'234'567);
  status.set_events_dropped(7);
  status.set_pods_tracked(34);
  status.set_active_flows(12);
  status.set_max_flows(100'000);
  auto& well = *status.add_components();
  well.set_name("flow-source");
  well.set_healthy(true);
  auto& ill = *status.add_components();
  ill.set_name("kube");
  ill.set_reason("the API server refuses");
  auto& program = *status.add_programs();
  program.set_program("orb8_sock_state");
  program.set_interface("inet_sock_set_state");
  program.set_mechanism("tp_btf");
  auto& seen = *status.mutable_accounting();
  seen = thousand_seen();
  for (auto* none : {seen.mutable_spilled(), seen.mutable_own(), seen.mutable_truncated(),
                     seen.mutable_unparsed()}) {
    none->set_packets(0);
  }
  seen.mutable_lost()->set_packets(2);
  seen.mutable_lost()->set_bytes(148);
  status.mutable_kubernetes()->set_relists(2);
  return status;
}

// --- how ---

struct Look {
  const char* name;
  RenderStyle style;
};

const std::vector<Look>& looks() {
  static const std::vector<Look> all = {
      {"compact.txt", {.output = OutputFormat::kCompact}},
      {"table.txt", {.output = OutputFormat::kTable}},
      {"wide.txt", {.output = OutputFormat::kWide}},
      {"dict.txt", {.output = OutputFormat::kDict}},
      {"json", {.output = OutputFormat::kJson, .color = true, .numeric = true}},
      {"jsonpb", {.output = OutputFormat::kJsonpb, .color = true, .numeric = true}},
      {"compact.color.txt", {.output = OutputFormat::kCompact, .color = true}},
      {"table.80-columns.txt", {.output = OutputFormat::kTable, .terminal_width = 80}},
      {"dict.color.txt", {.output = OutputFormat::kDict, .color = true}},
      {"compact.numeric.txt",
       {.output = OutputFormat::kCompact,
        .time_format = TimeFormat::kRfc3339Micro,
        .numeric = true}},
      {"table.numeric.txt",
       {.output = OutputFormat::kTable, .time_format = TimeFormat::kDateTime, .numeric = true}},
      {"wide.numeric.txt",
       {.output = OutputFormat::kWide, .time_format = TimeFormat::kStampMilli, .numeric = true}},
      {"dict.numeric.txt",
       {.output = OutputFormat::kDict, .time_format = TimeFormat::kRfc1123Z, .numeric = true}}};
  return all;
}

std::string printed(const std::string& what, const RenderStyle& style) {
  std::ostringstream out;
  if (what == "flows") {
    render_flows(flows(), style, out);
  } else if (what == "pods") {
    render_pods(pods(), style, out);
  } else if (what == "status") {
    render_status(status(), style, out);
  } else {
    EventRenderer renderer(style);
    renderer.header(out);
    for (const auto& event : events()) renderer.render(event, 1, out);
  }
  return out.str();
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Golden : public ::testing::TestWithParam<const char*> {};

TEST_P(Golden, IsPrintedInEveryFormat) {
  use_utc();
  for (const auto& look : looks()) {
    const auto path = kFolder + std::string(GetParam()) + "." + look.name;
    const auto text = printed(GetParam(), look.style);
    if (std::getenv("ORB8_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
    EXPECT_EQ(text, content_of(path)) << path;
  }
}

// Below each "<!-- golden: NAME -->" stands how that file begins.
TEST(GoldenDocs, ShowWhatIsPrinted) {
  std::istringstream page(content_of("docs/CLI.md"));
  const std::string_view mark = "<!-- golden: ";
  int examples = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with(mark)) continue;
    const auto name = line.substr(mark.size(), line.find(" -->") - mark.size());
    std::string shown;
    std::getline(page, line);
    EXPECT_EQ(line, "```text");
    while (std::getline(page, line) && line != "```") shown += line + "\n";
    EXPECT_NE(shown, "") << name;
    EXPECT_TRUE(content_of(kFolder + name).starts_with(shown)) << name << "\n" << shown;
    ++examples;
  }
  EXPECT_GE(examples, 8);
}

INSTANTIATE_TEST_SUITE_P(Answers, Golden, ::testing::Values("flows", "events", "pods", "status"));

}  // namespace
}  // namespace orb8
