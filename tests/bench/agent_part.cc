// The agent's size, its appetite and its answers: idle, with many flows, and under load.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/agent_process.h"
#include "tests/bench/flow_traffic.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"
#include "tests/bench/udp_flood.h"

namespace orb8::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kIdleTime = seconds(10);   // from its start until it counts as idle
constexpr auto kCpuWindow = seconds(30);  // scaled to a minute
constexpr auto kHoldTime = seconds(10);   // the most memory in this time counts

// One rate for all: each of 10,000 flows moves every second, each of 100,000 every ten.
constexpr std::uint32_t kPacketsPerSecond = 10'000;
constexpr std::uint32_t kActiveFlows = 10'000;
constexpr std::uint32_t kLiveFlows = 100'000;  // as many as the agent's table has by default

constexpr int kCalls = 400;
constexpr auto kCallEvery = milliseconds(20);
constexpr std::uint32_t kCallLimit = 100;

constexpr double kIdleMib = 28;
constexpr double kFullMib = 64;
constexpr double kIdleCpu = 0.15;  // seconds a minute
constexpr double kActiveCpu = 3;
constexpr double kP99Ms = 20;

Result<double> cpu_seconds_per_minute(const AgentProcess& agent) {
  const auto start = Clock::now();
  const auto before = agent.cpu_seconds();
  std::this_thread::sleep_for(kCpuWindow);
  const auto after = agent.cpu_seconds();
  const std::chrono::duration<double> window = Clock::now() - start;
  if (!before) return std::unexpected(before.error());
  if (!after) return std::unexpected(after.error());
  return (*after - *before) / window.count() * 60;
}

// The number must be exact: fewer flows than asked for would flatter every figure.
Result<void> wait_for_flows(const AgentProcess& agent, const FlowTraffic& traffic,
                            std::uint32_t flows) {
  auto ok = agent.wait_for_flows(flows, true);
  if (auto sent = traffic.check(); !sent) return sent;
  return ok;
}

Result<void> measure_idle(const AgentProcess& agent, Report& report) {
  std::this_thread::sleep_for(kIdleTime);
  const auto resident = agent.resident_mib();
  if (!resident) return std::unexpected(resident.error());
  report.add({"agent.resident_idle", *resident, "MiB", kIdleMib});
  const auto cpu = cpu_seconds_per_minute(agent);
  if (!cpu) return std::unexpected(cpu.error());
  report.add({"agent.cpu_idle", *cpu, "s/min", kIdleCpu});
  return {};
}

Result<void> measure_active(const NetworkPair& pair, const AgentProcess& agent, Report& report) {
  const auto traffic = FlowTraffic::start(pair, kActiveFlows, kPacketsPerSecond);
  if (!traffic) return std::unexpected(traffic.error());
  if (auto ok = wait_for_flows(agent, **traffic, kActiveFlows); !ok) return ok;
  const auto cpu = cpu_seconds_per_minute(agent);
  if (!cpu) return std::unexpected(cpu.error());
  report.add({"agent.cpu_10k_flows", *cpu, "s/min", kActiveCpu});
  return wait_for_flows(agent, **traffic, kActiveFlows);
}

Result<std::vector<double>> query_times_ms(AgentProcess& agent) {
  std::vector<double> times_ms;
  auto next = Clock::now();
  for (int i = 0; i < kCalls; ++i) {
    v1::QueryFlowsResponse response;
    const auto took = agent.query(kCallLimit, response);
    if (!took) return std::unexpected(took.error());
    if (response.flows_size() != kCallLimit || response.matched() != kLiveFlows) {
      return fail(Errc::kInternal, "QueryFlows answered " + std::to_string(response.flows_size()) +
                                       " of " + std::to_string(response.matched()) + " flows");
    }
    times_ms.push_back(std::chrono::duration<double, std::milli>(*took).count());
    next = std::max(next + kCallEvery, Clock::now());
    std::this_thread::sleep_until(next);
  }
  return times_ms;
}

Result<void> measure_queries(const NetworkPair& pair, AgentProcess& agent, Report& report) {
  const auto before = pair.watched_counters();
  const auto start = Clock::now();
  auto flood = UdpFlood::start(pair, 1);
  if (!flood) return std::unexpected(flood.error());
  const auto times_ms = query_times_ms(agent);
  (*flood)->stop();
  const std::chrono::duration<double> time = Clock::now() - start;
  const auto after = pair.watched_counters();
  if (!times_ms) return std::unexpected(times_ms.error());
  if (!before || !after) return fail(Errc::kInternal, "the interface's counters cannot be read");

  report.add({"agent.query_calls", static_cast<double>(times_ms->size()), "calls"});
  report.add({"agent.query_p50", median(*times_ms), "ms"});
  report.add({"agent.query_p99", quantile(*times_ms, 0.99), "ms", kP99Ms});
  report.add({"agent.query_max", quantile(*times_ms, 1), "ms"});
  report.add({"agent.query_flood",
              static_cast<double>(after->rx_packets - before->rx_packets) / time.count(),
              "packets/s"});
  return {};
}

Result<void> measure_full(const NetworkPair& pair, AgentProcess& agent, Report& report) {
  const auto traffic = FlowTraffic::start(pair, kLiveFlows, kPacketsPerSecond);
  if (!traffic) return std::unexpected(traffic.error());
  if (auto ok = wait_for_flows(agent, **traffic, kLiveFlows); !ok) return ok;
  const auto resident = agent.most_resident_mib(kHoldTime);
  if (!resident) return std::unexpected(resident.error());
  report.add({"agent.resident_100k_flows", *resident, "MiB", kFullMib});

  if (auto ok = measure_queries(pair, agent, report); !ok) return ok;
  if (auto ok = wait_for_flows(agent, **traffic, kLiveFlows); !ok) return ok;
  const auto status = agent.status();
  if (!status) return std::unexpected(status.error());
  report.add({"agent.packets_lost", static_cast<double>(status->accounting().lost().packets()),
              "packets", 0});
  report.add({"agent.flows_evicted", static_cast<double>(status->flows_evicted()), "flows", 0});
  return {};
}

}  // namespace

Result<void> measure_agent(Report& report) {
  const auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  const auto sink = open_sink();
  if (!sink) return std::unexpected(sink.error());
  auto agent = AgentProcess::start({"--interface", NetworkPair::kWatched});
  if (!agent) return std::unexpected(agent.error());
  if (auto ok = measure_idle(*agent, report); !ok) return ok;
  report.print_new();
  if (auto ok = measure_active(*pair, *agent, report); !ok) return ok;
  report.print_new();
  return measure_full(*pair, *agent, report);
}

}  // namespace orb8::bench
