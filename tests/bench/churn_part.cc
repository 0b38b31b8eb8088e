// How fast connections open and close with the agent beside them, and without: by turns, so that
// what disturbs the machine disturbs both alike.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/agent_process.h"
#include "tests/bench/churn.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"

namespace orb8::bench {
namespace {

using std::chrono::milliseconds;

constexpr int kRounds = 9;
constexpr auto kRoundTime = milliseconds(2'000);
constexpr auto kSettleTime = milliseconds(1'000);  // the agent's start is not what is measured
constexpr double kRatioBar = 0.95;

Result<double> rate_of(Churn& churn) {
  const auto start = std::chrono::steady_clock::now();
  const auto done = churn.run(kRoundTime);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (!done) return std::unexpected(done.error());
  return static_cast<double>(*done) / took.count();
}

struct WithAgent {
  double rate = 0;
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
  std::vector<double> cpu;
  double lost = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::this_thread::sleep_for(kSettleTime);  // as long as the other one waits
    const auto alone = rate_of(*churn);
    if (!alone) return std::unexpected(alone.error());
    const auto watched = round_with_agent(*churn);
    if (!watched) return std::unexpected(watched.error());
    without.push_back(*alone);
    with.push_back(watched->rate);
    cpu.push_back(watched->cpu_seconds);
    lost += watched->lost;
  }
  report.add({"churn.without_agent", median(without), "conn/s"});
  report.add({"churn.with_agent", median(with), "conn/s"});
  report.add({"churn.ratio", median(with) / median(without), "ratio", kRatioBar, true});
  report.add({"churn.agent_cpu", median(cpu), "s/s"});
  report.add({"churn.packets_lost", lost, "packets", 0});
  return {};
}

}  // namespace orb8::bench
