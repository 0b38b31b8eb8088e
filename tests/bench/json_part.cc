// How many lines a second of CPU makes of events: by the renderer alone, and by orb8 as a process
// that reads them from an agent or from a saved trace.
// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cli/event_renderer.h"
#include "core/export/json.h"
#include "orb8/v1/agent.grpc.pb.h"
#include "tests/bench/command_cpu.h"
#include "tests/bench/parts.h"
#include "tests/bench/thread_clock.h"
#include "tests/integration/temp_file.h"

namespace orb8::bench {
namespace {

constexpr std::uint32_t kEvents = 100'000;
constexpr int kTries = 11;      // the best counts: what else runs only ever costs time
constexpr int kInMessage = 50;  // as many of these as an agent sends in one; divides kEvents
constexpr double kBarPerSecond = 200'000;
constexpr double kNsPerSecond = 1e9;

void put_pod(const std::string& name, v1::Endpoint& out) {
  out.set_kind("pod");
  out.set_namespace_("team-7");
  out.set_name(name);
  out.set_workload_kind("Deployment");
  out.set_workload("recommendation-service");
  out.set_node("ip-10-0-7-1.eu-central-1.compute.internal");
  out.set_zone("eu-central-1a");
  out.set_uid("5d1f3c2a-1234-1234-1234-0123456789ab");
}

// With all that is known of a connection between two pods: the longest lines there are.
std::vector<v1::NetworkEvent> events() {
  std::vector<v1::NetworkEvent> all(kEvents);
  for (std::uint32_t i = 0; i < kEvents; ++i) {
    auto& event = all[i];
    event.set_type(v1::EVENT_TYPE_FLOW_UPDATE);
    event.set_namespace_("team-7");
    event.set_pod_name("recommendation-service-7d9f8b6c5d-" + std::to_string(i));
    event.set_src_ip("10.0.7.12");
    event.set_dst_ip("10.0.9.200");
    event.set_src_port(40'000 + i % 20'000);
    event.set_dst_port(8443);
    event.set_protocol("TCP");
    event.set_direction("egress");
    event.set_timestamp_ns(1'700'000'000'000'000'000 + i);
    event.set_first_seen_ns(1'700'000'000'000'000'000);
    event.set_packets(i);
    event.set_byte_count(std::uint64_t{1448} * i);
    event.set_total_packets(i);
    event.set_total_bytes(std::uint64_t{1448} * i);
    event.set_tcp_flags(0x18);
    event.set_cgroup_id(123'456);
    event.set_process("server");
    event.set_pid(4242);
    event.set_container_id(std::string(64, 'a'));
    event.set_container_name("app");
    event.set_cgroup_path("/kubepods.slice/kubepods-burstable.slice/pod5d1f3c2a/cri-containerd");
    event.set_netns(4'026'532'000);
    event.set_socket_cookie(9'000'000 + i);
    event.set_connection_state("ESTABLISHED");
    event.set_role("client");
    event.set_rtt_us(180);
    event.set_min_rtt_us(90);
    event.set_payload_bytes(std::uint64_t{1400} * i);
    event.set_cwnd(10);
    event.set_dst_service("team-7/recommendation-service");
    event.set_dst_service_port("https");
    put_pod(event.pod_name(), *event.mutable_src());
    put_pod("checkout-service-5c4b7d8f9-" + std::to_string(i), *event.mutable_dst());
  }
  return all;
}

double rendered_per_cpu_second(const std::vector<v1::NetworkEvent>& all, OutputFormat output,
                               std::ostream& out) {
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    EventRenderer renderer({.output = output});
    const auto begin_ns = thread_cpu_ns();
    for (const auto& event : all) renderer.render(event, 0, out);
    best = std::max(best, kEvents * kNsPerSecond / (thread_cpu_ns() - begin_ns));
  }
  return best;
}

// An agent that has these events to tell, and nothing else.
class TellingAgent final : public v1::OrbitAgentService::Service {
 public:
  explicit TellingAgent(const std::vector<v1::NetworkEvent>& events) : events_(events) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status GetStatus(grpc::ServerContext* /*context*/, const v1::GetStatusRequest* /*request*/,
                         v1::AgentStatus* status) override {
    status->set_history_from_ns(1);
    return grpc::Status::OK;
  }

  grpc::Status StreamEventBatches(grpc::ServerContext* /*context*/,
                                  const v1::StreamEventsRequest* /*request*/,
                                  grpc::ServerWriter<v1::EventBatch>* writer) override {
    v1::EventBatch batch;
    for (const auto& event : events_) {
      *batch.add_events() = event;
      if (batch.events_size() < kInMessage) continue;
      if (!writer->Write(batch)) return grpc::Status::CANCELLED;
      batch.Clear();
    }
    return grpc::Status::OK;
  }

 private:
  const std::vector<v1::NetworkEvent>& events_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// Of all that orb8 does from its start to its end: lines for a second of its CPU.
Result<double> lines_per_cpu_second(const std::vector<std::string>& arguments) {
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto took = cpu_seconds_of_orb8(arguments);
    if (!took) return std::unexpected(took.error());
    best = std::max(best, kEvents / *took);
  }
  return best;
}

Result<void> measure_process(const std::vector<v1::NetworkEvent>& all, Report& report) {
  const TellingAgent agent(all);
  const auto live =
      lines_per_cpu_second({"trace", "network", "--all", "-o", "json", "--agent", agent.address()});
  if (!live) return std::unexpected(live.error());
  report.add({"json.agent_lines_per_cpu_second", *live, "lines/s", kBarPerSecond, true});

  std::string lines;
  for (const auto& event : all) {
    append_json(event, lines);
    lines += '\n';
  }
  const integration::TempFile file(lines);
  const auto saved =
      lines_per_cpu_second({"trace", "network", "-o", "json", "--input-file", file.path()});
  if (!saved) return std::unexpected(saved.error());
  report.add({"json.replay_lines_per_cpu_second", *saved, "lines/s"});
  return {};
}

}  // namespace

Result<void> measure_json(Report& report) {
  const auto all = events();
  std::ofstream out("/dev/null");
  if (!out) return fail(Errc::kUnavailable, "open /dev/null");
  report.add({"json.rendered_lines_per_cpu_second",
              rendered_per_cpu_second(all, OutputFormat::kJson, out), "lines/s", kBarPerSecond,
              true});
  report.add({"json.rendered_compact_lines_per_cpu_second",
              rendered_per_cpu_second(all, OutputFormat::kCompact, out), "lines/s", kBarPerSecond,
              true});
  return measure_process(all, report);
}

}  // namespace orb8::bench
