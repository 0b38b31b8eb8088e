// The agent under traffic that goes on: after a first minute nothing of it may grow, and nothing
// may be lost at all. ORB8_SOAK_SECONDS: how long, by default ten minutes.
// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/agent_maps.h"
#include "tests/bench/agent_process.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"
#include "tests/bench/soak_traffic.h"

namespace orb8::bench {
namespace {

using std::chrono::seconds;

constexpr long kDefaultSeconds = 600;
constexpr auto kEvery = seconds(10);
constexpr auto kWarmUp = seconds(60);  // of a short try: half of it
constexpr double kMemoryGrowth = 1.05;
constexpr double kEntriesGrowth = 1.10;  // they swing with the expiration interval

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
  const auto& accounting = status->accounting();
  return Sample{
      .resident_mib = *resident,
      .flows = static_cast<double>(status->active_flows()),
      .peers = static_cast<double>(*peers),
      .lost = static_cast<double>(accounting.lost().packets() + accounting.packet_events_lost() +
                                  status->events_dropped() + status->flows_evicted())};
}

seconds wanted_time() {
  const char* text = std::getenv("ORB8_SOAK_SECONDS");
  const long value = text ? std::strtol(text, nullptr, 10) : kDefaultSeconds;
  return seconds(std::max(value, 4L * kEvery.count()));
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

double most(const std::vector<Sample>& samples, std::size_t from, std::size_t to,
            double Sample::* what) {
  double value = 0;
  for (std::size_t i = from; i < to; ++i) value = std::max(value, samples[i].*what);
  return value;
}

}  // namespace

Result<void> measure_soak(Report& report) {
  const auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  const auto agent = AgentProcess::start({"--flow-source", "socket"});
  if (!agent) return std::unexpected(agent.error());
  const auto traffic = SoakTraffic::start();
  if (!traffic) return std::unexpected(traffic.error());
  const auto time = wanted_time();
  const auto samples = watch(*agent, **traffic, time);
  if (!samples) return std::unexpected(samples.error());

  // The most of a while after the warm-up, against the most of all that came later.
  const auto warm = static_cast<std::size_t>(std::min(kWarmUp, time / 2) / kEvery);
  const auto base_end = warm + std::max<std::size_t>(1, (samples->size() - warm) / 4);
  const auto growth = [&](double Sample::* what) {
    const double before = most(*samples, warm - 1, base_end, what);
    return before > 0 ? most(*samples, base_end, samples->size(), what) / before : 1;
  };
  report.add({"soak.time", static_cast<double>(time.count()), "s"});
  report.add({"soak.resident", samples->back().resident_mib, "MiB"});
  report.add({"soak.resident_growth", growth(&Sample::resident_mib), "ratio", kMemoryGrowth});
  report.add({"soak.flows_growth", growth(&Sample::flows), "ratio", kEntriesGrowth});
  report.add({"soak.peers_growth", growth(&Sample::peers), "ratio", kEntriesGrowth});
  report.add({"soak.lost", samples->back().lost, "records", 0});
  return {};
}

}  // namespace orb8::bench
