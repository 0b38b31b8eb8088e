// SPDX-License-Identifier: Apache-2.0
#include "cli/render_status.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/render_test_data.h"

namespace orb8 {
namespace {

v1::AgentStatus status() {
  v1::AgentStatus status;
  status.set_node_name("node-7");
  status.set_version("0.1.0");
  status.set_healthy(true);
  status.set_health_message("ok");
  status.set_events_processed(12'345);
  status.set_events_dropped(6);
  status.set_pods_tracked(3);
  status.set_active_flows(1234);
  status.set_max_flows(100'000);
  status.set_uptime_seconds(7500);
  status.set_flow_source("tc");
  status.set_flow_source_reason("auto: the only source of this version");
  status.set_flows_evicted(2);
  status.set_flows_expired(40);
  status.set_subscribers(1);
  status.set_subscriber_drops(3);
  auto& part = *status.add_components();
  part.set_name("flow-source");
  part.set_healthy(true);
  auto& program = *status.add_programs();
  program.set_program("network_probe");
  program.set_interface("eth0");
  program.set_ifindex(2);
  program.set_direction("ingress");
  program.set_mechanism("tcx");
  *status.mutable_accounting() = thousand_seen();
  status.mutable_accounting()->mutable_lost()->set_packets(1);
  status.mutable_accounting()->set_packet_events(20);
  status.mutable_accounting()->set_packet_events_lost(2);
  return status;
}

std::string rendered(const v1::AgentStatus& status, const RenderStyle& style) {
  std::ostringstream out;
  render_status(status, style, out);
  return out.str();
}

TEST(RenderStatus, ShowsHealthDropsPacketsAndPrograms) {
  EXPECT_EQ(rendered(status(), {}), R"(
Node:        node-7
Version:     0.1.0
Health:      OK
Flow source: tc (auto: the only source of this version)
Uptime:      2h05m
Flows:       1,234 active of 100,000 at most; 40 ended, 2 evicted
Events:      12,345 processed
Dropped:     6 (1 packets not in any flow, 2 packet events, 3 by slow readers)
Streams:     1 open
Pods:        3 tracked

COMPONENT    STATE  REASON
flow-source  ok

PACKETS      COUNT     BYTES
seen         1,001  96.7 KiB
  counted      990  96.7 KiB
  spilled        0       0 B
  duplicate      4       0 B
  own            0       0 B
  not IP         6       0 B
  truncated      0       0 B
  unparsed       0       0 B
  lost           1       0 B
packet events: 20 sent, 2 lost

PROGRAM        ATTACHED TO  DIR      MECHANISM
network_probe  eth0         ingress  tcx
)" + 1);
}

TEST(RenderStatus, SaysWhereTheProgramsOfSocketsAre) {
  auto sockets = status();
  sockets.clear_programs();
  const auto add = [&](const char* program, const char* place, const char* direction,
                       const char* mechanism) {
    auto& row = *sockets.add_programs();
    row.set_program(program);
    row.set_interface(place);
    row.set_direction(direction);
    row.set_mechanism(mechanism);
  };
  add("orb8_state", "sock:inet_sock_set_state", "", "tp_btf");
  add("orb8_udp_out", "/sys/fs/cgroup", "egress", "cgroup");
  const auto text = rendered(sockets, {});
  EXPECT_NE(text.find(R"(
PROGRAM       ATTACHED TO               DIR     MECHANISM
orb8_state    sock:inet_sock_set_state  -       tp_btf
orb8_udp_out  /sys/fs/cgroup            egress  cgroup
)"),
            std::string::npos)
      << text;
}

TEST(RenderStatus, ShowsSinceWhenItRemembersAndWhatHadToGo) {
  auto remembers = status();
  remembers.set_history_from_ns(1'700'000'000'000'000'000);
  remembers.set_history_flows(65'536);
  remembers.set_history_overwritten(1200);
  RenderStyle style;
  style.time_format = TimeFormat::kRfc3339;
  const auto text = rendered(remembers, style);
  EXPECT_NE(text.find("\nHistory:     65,536 ended flows since 2023-11-14T22:13:20"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("; 1,200 overwritten\nEvents: "), std::string::npos) << text;
}

TEST(RenderStatus, ShowsWhatSocketsDidNotTell) {
  auto sockets = status();
  EXPECT_EQ(rendered(sockets, {}).find("Unseen:"), std::string::npos);
  sockets.set_flow_source("socket");
  sockets.set_flows_ended_unseen(2);
  sockets.set_socket_ends_missed(1);
  sockets.set_sockets_untracked(3);
  EXPECT_NE(rendered(sockets, {})
                .find("\nUnseen:      2 flow ends; 1 last record missed at most; memory "
                      "for a socket refused 3 times\n"),
            std::string::npos);
}

TEST(RenderStatus, SaysDegradedAndWhy) {
  auto sick = status();
  sick.set_healthy(false);
  sick.set_health_message("flow-table: flows are evicted");
  sick.mutable_components(0)->set_healthy(false);
  sick.mutable_components(0)->set_reason("flows are evicted");
  const auto text = rendered(sick, {});
  EXPECT_NE(text.find("\nHealth:      DEGRADED: flow-table: flows are evicted\n"),
            std::string::npos);
  EXPECT_NE(text.find("\nflow-source  DEGRADED  flows are evicted\n"), std::string::npos);
}

TEST(RenderStatus, SaysThatNothingIsSeenWithoutPrograms) {
  auto blind = status();
  blind.clear_programs();
  EXPECT_NE(rendered(blind, {}).find("no program is attached: nothing is seen\n"),
            std::string::npos);
}

TEST(RenderStatus, LeavesOutWhatAnAgentOfAnotherMakeDoesNotTell) {
  v1::AgentStatus plain;
  plain.set_node_name("n");
  plain.set_version("9");
  plain.set_healthy(true);
  EXPECT_EQ(rendered(plain, {}), R"(
Node:        n
Version:     9
Health:      OK
Uptime:      0s
Flows:       0 active; 0 ended, 0 evicted
Events:      0 processed
Dropped:     0 (0 packets not in any flow, 0 packet events, 0 by slow readers)
Streams:     0 open
Pods:        0 tracked
)" + 1);
}

TEST(RenderStatus, SaysHowManySeriesThereAre) {
  auto counting = status();
  counting.set_metric_series(9876);
  counting.set_metric_series_folded(12);
  EXPECT_NE(rendered(counting, {}).find("\nMetrics:     9,876 series, 12 folded into other\n"),
            std::string::npos);
}

TEST(RenderStatus, SaysWhatWasMissedOfKubernetes) {
  auto watching = status();
  watching.set_pods_evicted(1200);
  EXPECT_NE(rendered(watching, {}).find("\nPods:        3 tracked, 1,200 evicted\n\n"),
            std::string::npos)
      << "also by an agent that says no more";
  auto& seen = *watching.mutable_kubernetes();
  seen.set_watch_restarts(5);
  seen.set_relists(2);
  seen.set_skipped_objects(1);
  seen.set_failed_requests(7);
  const auto text = rendered(watching, {});
  EXPECT_NE(text.find(R"(
Pods:        3 tracked, 1,200 evicted
Kubernetes:  5 watch restarts, 2 relists, 7 failed requests, 1 objects skipped

)"),
            std::string::npos)
      << text;
}

TEST(RenderStatus, MakesNamesHarmless) {
  auto evil = status();
  evil.set_node_name("n\x1b[2J");
  evil.mutable_programs(0)->set_interface("e\n0");
  const auto text = rendered(evil, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("Node:        n\\x1b[2J\n"), std::string::npos);
  EXPECT_NE(text.find("e\\x0a0"), std::string::npos);
}

TEST(RenderStatus, ColoursTheVerdict) {
  auto sick = status();
  EXPECT_NE(rendered(sick, {.color = true}).find("\x1b[32mOK\x1b[0m"), std::string::npos);
  sick.set_healthy(false);
  EXPECT_NE(rendered(sick, {.color = true}).find("\x1b[31mDEGRADED\x1b[0m: ok"), std::string::npos);
}

TEST(RenderStatus, IsOneLineAsJson) {
  const auto text = rendered(status(), {.output = OutputFormat::kJson});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_TRUE(text.starts_with(R"({"node_name":"node-7","version":"0.1.0","healthy":true,)"));
}

TEST(RenderStatus, ShowsWhatBecameOfTheRecordsOfEachExporter) {
  auto exporting = status();
  auto& file = *exporting.add_exporters();
  file.set_name("file");
  file.set_target("/var/log/orb8/flows.json");
  file.set_exported(12'000);
  file.set_dropped(34);
  file.set_failed(5);
  auto& otlp = *exporting.add_exporters();
  otlp.set_name("otlp-logs");
  otlp.set_target("http://collector:4317");
  otlp.set_healthy(true);
  EXPECT_NE(rendered(exporting, {}).find(R"(
EXPORTER   TO                        STATE     EXPORTED  DROPPED  FAILED
file       /var/log/orb8/flows.json  DEGRADED    12,000       34       5
otlp-logs  http://collector:4317     ok               0        0       0
)"),
            std::string::npos)
      << rendered(exporting, {});
}

}  // namespace
}  // namespace orb8
