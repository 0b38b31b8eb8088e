// What the agent weighs with many live connections: each is a socket with two flows.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/bench/agent_process.h"
#include "tests/bench/live_connections.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"

namespace orb8::bench {
namespace {

constexpr std::uint32_t kSockets = 100'000;
constexpr std::uint32_t kFlows = 2 * kSockets;
constexpr auto kRoom = "220000";  // for all of them, and what else is on this machine
constexpr auto kHoldTime = std::chrono::seconds(10);
constexpr double kBarMib = 64;

Result<void> measure(LiveConnections& connections, const std::string& room, std::uint32_t flows,
                     const std::string& name, std::optional<double> bar, Report& report) {
  const auto agent = AgentProcess::start({"--flow-source", "socket", "--max-flows", room});
  if (!agent) return std::unexpected(agent.error());
  if (auto ok = connections.move_all(); !ok) return ok;
  if (auto ok = agent->wait_for_flows(flows, false); !ok) return ok;
  const auto still = agent->resident_mib();
  if (!still) return std::unexpected(still.error());
  // All of them move once more: a page of flows that moved is there twice for a while.
  if (auto ok = connections.move_all(); !ok) return ok;
  const auto most = agent->most_resident_mib(kHoldTime);
  if (!most) return std::unexpected(most.error());
  report.add({name + ".at_rest", *still, "MiB"});
  report.add({name, *most, "MiB", bar});
  return {};
}

}  // namespace

Result<void> measure_memory(Report& report) {
  const auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  auto connections = LiveConnections::open(kSockets);
  if (!connections) return std::unexpected(connections.error());
  auto ok = measure(*connections, kRoom, kFlows, "memory.agent_100k_connections", kBarMib, report);
  if (!ok) return ok;
  report.print_new();
  return measure(*connections, "100000", 100'000, "memory.agent_default_max_flows", {}, report);
}

}  // namespace orb8::bench
