// How fast connections open and close with the agent beside them, and without, and with its probes
// alone, whose records nobody reads: by turns, so that what disturbs one disturbs all alike.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mounts.h"
#include "core/kernel/socket_probes.h"
#include "tests/bench/agent_process.h"
#include "tests/bench/churn.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"
#include "tests/bench/thread_clock.h"

namespace orb8::bench {
namespace {

using std::chrono::milliseconds;

constexpr int kRounds = 9;
constexpr auto kRoundTime = milliseconds(2'000);
constexpr auto kSettleTime = milliseconds(1'000);  // the agent's start is not what is measured
constexpr double kRatioBar = 0.95;

struct Rate {
  double per_second = 0;
  double cpu_us = 0;  // of the churning thread for each connection: both ends and what they run
};

Result<Rate> rate_of(Churn& churn) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu_start_ns = thread_cpu_ns();
  const auto done = churn.run(kRoundTime);
  const double cpu_us = (thread_cpu_ns() - cpu_start_ns) / 1e3;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (!done) return std::unexpected(done.error());
  const auto connections = static_cast<double>(*done);
  return Rate{.per_second = connections / took.count(), .cpu_us = cpu_us / connections};
}

Result<Rate> round_with_probes(Churn& churn) {
  constexpr std::uint32_t kRingBytes = 1U << 26;  // all of a round
  const auto probes =
      SocketProbes::open({.ring_bytes = kRingBytes, .cgroup_mount = find_cgroup2_mount("")});
  if (!probes) return std::unexpected(probes.error());
  std::this_thread::sleep_for(kSettleTime);
  return rate_of(churn);
}

struct WithAgent {
  Rate rate;
  double lost = 0;         // last records, as the agent says
  double cpu_seconds = 0;  // of the agent, for each second
};

Result<WithAgent> round_with_agent(Churn& churn) {
  const auto agent = AgentProcess::start({"--flow-source", "socket"});
  if (!agent) return std::unexpected(agent.error());
  std::this_thread::sleep_for(kSettleTime);
  const auto before = agent->cpu_seconds();
  if (!before) return std::unexpected(before.error());
  const auto rate = rate_of(churn);
  if (!rate) return std::unexpected(rate.error());
  const auto after = agent->cpu_seconds();
  const auto status = agent->status();
  if (!after) return std::unexpected(after.error());
  if (!status) return std::unexpected(status.error());
  const std::chrono::duration<double> time = kRoundTime;
  return WithAgent{.rate = *rate,
                   .lost = static_cast<double>(status->accounting().lost().packets()),
                   .cpu_seconds = (*after - *before) / time.count()};
}

}  // namespace

Result<void> measure_churn(Report& report) {
  const auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  auto churn = Churn::open();
  if (!churn) return std::unexpected(churn.error());
  if (const auto warm_up = rate_of(*churn); !warm_up) return std::unexpected(warm_up.error());
  std::vector<double> without;
  std::vector<double> with;
  std::vector<double> with_probes;
  std::vector<double> cpu;
  std::vector<double> us_without;
  std::vector<double> us_with;
  std::vector<double> us_with_probes;
  double lost = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::this_thread::sleep_for(kSettleTime);  // as long as the other one waits
    const auto alone = rate_of(*churn);
    if (!alone) return std::unexpected(alone.error());
    const auto probed = round_with_probes(*churn);
    if (!probed) return std::unexpected(probed.error());
    const auto watched = round_with_agent(*churn);
    if (!watched) return std::unexpected(watched.error());
    without.push_back(alone->per_second);
    with_probes.push_back(probed->per_second);
    with.push_back(watched->rate.per_second);
    us_without.push_back(alone->cpu_us);
    us_with_probes.push_back(probed->cpu_us);
    us_with.push_back(watched->rate.cpu_us);
    cpu.push_back(watched->cpu_seconds);
    lost += watched->lost;
  }
  report.add({"churn.without_agent", median(without), "conn/s"});
  report.add({"churn.with_agent", median(with), "conn/s"});
  report.add({"churn.ratio", median(with) / median(without), "ratio", kRatioBar, true});
  report.add({"churn.ratio_with_probes_alone", median(with_probes) / median(without), "ratio"});
  report.add({"churn.cpu_without_agent", median(us_without), "us/conn"});
  report.add({"churn.cpu_with_probes_alone", median(us_with_probes), "us/conn"});
  report.add({"churn.cpu_with_agent", median(us_with), "us/conn"});
  report.add({"churn.agent_cpu", median(cpu), "s/s"});
  report.add({"churn.packets_lost", lost, "packets", 0});
  return {};
}

}  // namespace orb8::bench
