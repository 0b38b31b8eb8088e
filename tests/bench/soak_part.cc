// The agent under traffic that goes on: after a first minute nothing of it may grow, and nothing
// may be lost at all. ORB8_SOAK_SECONDS: how long, by default ten minutes.
// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/agent_maps.h"
#include "tests/bench/agent_process.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"
#include "tests/bench/soak_traffic.h"
#include "tests/bench/told_events.h"

namespace orb8::bench {
namespace {

using std::chrono::seconds;

constexpr long kDefaultSeconds = 600;
constexpr auto kEvery = seconds(10);
constexpr auto kWarmUp = seconds(60);
constexpr auto kBaseline = seconds(30);  // its most is what all that comes later is held against
constexpr auto kShortest = kWarmUp + 2 * kBaseline;
constexpr auto kSettleTime = seconds(10);
constexpr double kMemoryGrowth = 1.05;
constexpr double kEntriesGrowth = 1.10;  // they swing with the expiration interval

// A stream's queue: thousands of flows move in a second, and all are told at once.
constexpr auto kQueue = "50000";
constexpr std::uint64_t kViews = 2;  // of a datagram: its sender's, and its receiver's

struct Sample {
  double resident_mib = 0;
  double flows = 0;
  double peers = 0;
  double lost = 0;
};

Result<Sample> sample(const AgentProcess& agent) {
  const auto resident = agent.resident_mib();
  if (!resident) return std::unexpected(resident.error());
  const auto status = agent.status();
  if (!status) return std::unexpected(status.error());
  const auto peers = map_entries(agent.pid(), "orb8_peers");
  if (!peers) return std::unexpected(peers.error());
  // What was dropped has all that was lost in it.
  return Sample{.resident_mib = *resident,
                .flows = static_cast<double>(status->active_flows()),
                .peers = static_cast<double>(*peers),
                .lost = static_cast<double>(status->events_dropped() + status->flows_evicted() +
                                            status->sockets_untracked() +
                                            status->accounting().unparsed().packets())};
}

Result<seconds> wanted_time() {
  const char* text = std::getenv("ORB8_SOAK_SECONDS");
  const seconds time(text ? std::strtol(text, nullptr, 10) : kDefaultSeconds);
  if (time >= kShortest) return time;
  return fail(Errc::kInvalid, fmt::format("{} s are too short to see growth: {} s at least",
                                          time.count(), kShortest.count()));
}

Result<std::vector<Sample>> watch(const AgentProcess& agent, const SoakTraffic& traffic,
                                  seconds time) {
  fmt::print("{:>6} {:>9} {:>8} {:>8} {:>6} {:>12} {:>10}\n", "s", "RSS MiB", "flows", "peers",
             "lost", "connections", "datagrams");
  std::vector<Sample> samples;
  for (auto at = kEvery; at <= time; at += kEvery) {
    std::this_thread::sleep_for(kEvery);
    if (auto ok = traffic.check(); !ok) return std::unexpected(ok.error());
    const auto now = sample(agent);
    if (!now) return std::unexpected(now.error());
    fmt::print("{:>6} {:>9.1f} {:>8} {:>8} {:>6} {:>12} {:>10}\n", at.count(), now->resident_mib,
               now->flows, now->peers, now->lost, traffic.connections(), traffic.datagrams());
    std::fflush(stdout);
    samples.push_back(*now);
  }
  return samples;
}

double most(std::span<const Sample> samples, double Sample::* what) {
  return std::ranges::max(samples, {}, what).*what;
}

// What is 0 throughout was not measured.
Result<void> add_growth(const std::vector<Sample>& samples, const std::string& name,
                        double Sample::* what, double bar, Report& report) {
  const auto after = std::span(samples).subspan(kWarmUp / kEvery);
  const double before = most(after.first(kBaseline / kEvery), what);
  if (before <= 0) return fail(Errc::kInternal, "there are no " + name + " in the agent's samples");
  const double later = most(after.subspan(kBaseline / kEvery), what);
  report.add({"soak." + name + "_growth", later / before, "ratio", bar});
  return {};
}

Result<std::unique_ptr<ToldEvents>> follow_datagrams(const AgentProcess& agent) {
  v1::FlowFilter filter;
  filter.add_protocols("udp");
  filter.add_ports(SoakTraffic::kPort);
  return ToldEvents::start(agent, filter,
                           [](const v1::NetworkEvent& event) { return event.packets(); });
}

// Connections that ended, each by its client's view and with the byte that it sent.
Result<std::unique_ptr<ToldEvents>> follow_connections(const AgentProcess& agent) {
  v1::FlowFilter filter;
  filter.add_protocols("tcp");
  filter.add_directions("egress");
  return ToldEvents::start(agent, filter, [](const v1::NetworkEvent& event) -> std::uint64_t {
    const bool whole = event.role() == "client" && event.payload_bytes() == 1;
    return event.type() == v1::EVENT_TYPE_FLOW_END && whole ? 1 : 0;
  });
}

// How far what was told is from what there was, a while after the last of it. More is as wrong as
// less.
double missed(const ToldEvents& told, std::uint64_t all) {
  const auto deadline = std::chrono::steady_clock::now() + kSettleTime;
  while (told.sum() < all && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return std::abs(static_cast<double>(all) - static_cast<double>(told.sum()));
}

}  // namespace

Result<void> measure_soak(Report& report) {
  const auto time = wanted_time();
  if (!time) return std::unexpected(time.error());
  const auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  const auto agent =
      AgentProcess::start({"--flow-source", "socket", "--broadcast-channel-size", kQueue});
  if (!agent) return std::unexpected(agent.error());
  const auto datagrams = follow_datagrams(*agent);
  if (!datagrams) return std::unexpected(datagrams.error());
  const auto connections = follow_connections(*agent);
  if (!connections) return std::unexpected(connections.error());
  const auto traffic = SoakTraffic::start();
  if (!traffic) return std::unexpected(traffic.error());
  const auto samples = watch(*agent, **traffic, *time);
  if (!samples) return std::unexpected(samples.error());
  (*traffic)->stop();
  const double datagrams_missed = missed(**datagrams, kViews * (*traffic)->datagrams());
  const double connections_missed = missed(**connections, (*traffic)->connections());

  report.add({"soak.time", static_cast<double>(time->count()), "s"});
  report.add({"soak.resident", samples->back().resident_mib, "MiB"});
  auto ok = add_growth(*samples, "resident", &Sample::resident_mib, kMemoryGrowth, report);
  if (ok) ok = add_growth(*samples, "flows", &Sample::flows, kEntriesGrowth, report);
  if (ok) ok = add_growth(*samples, "peers", &Sample::peers, kEntriesGrowth, report);
  report.add({"soak.lost", samples->back().lost, "records", 0});
  report.add({"soak.datagrams_missed", datagrams_missed, "datagrams", 0});
  report.add({"soak.connections_missed", connections_missed, "connections", 0});
  return ok;
}

}  // namespace orb8::bench
