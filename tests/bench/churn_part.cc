// How fast connections open and close with the agent beside them, and without, and with socket
// storage alone: by turns, so that what disturbs the machine disturbs all alike.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/agent_process.h"
#include "tests/bench/churn.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"
#include "tests/bench/storage_alone.h"
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

Result<Rate> round_with_storage(Churn& churn) {
  const auto storage = StorageAlone::attach();
  if (!storage) return std::unexpected(storage.error());
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

// Of all rounds.
struct Figures {
  std::vector<double> per_second;
  std::vector<double> cpu_us;

  void add(const Rate& rate) {
    per_second.push_back(rate.per_second);
    cpu_us.push_back(rate.cpu_us);
  }
};

Result<void> measure(Report& report, const std::string& name, Churn& churn, bool storage_too) {
  if (const auto warm_up = rate_of(churn); !warm_up) return std::unexpected(warm_up.error());
  Figures without;
  Figures with;
  Figures with_storage;
  std::vector<double> agent_cpu;
  double lost = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::this_thread::sleep_for(kSettleTime);  // as long as the other one waits
    const auto alone = rate_of(churn);
    if (!alone) return std::unexpected(alone.error());
    without.add(*alone);
    if (storage_too) {
      const auto stored = round_with_storage(churn);
      if (!stored) return std::unexpected(stored.error());
      with_storage.add(*stored);
    }
    const auto watched = round_with_agent(churn);
    if (!watched) return std::unexpected(watched.error());
    with.add(watched->rate);
    agent_cpu.push_back(watched->cpu_seconds);
    lost += watched->lost;
  }
  const auto ratio = [&](const Figures& other) {
    return median(other.per_second) / median(without.per_second);
  };
  report.add({name + ".without_agent", median(without.per_second), "conn/s"});
  report.add({name + ".with_agent", median(with.per_second), "conn/s"});
  report.add({name + ".ratio", ratio(with), "ratio", kRatioBar, true});
  report.add({name + ".cpu_without_agent", median(without.cpu_us), "us/conn"});
  report.add({name + ".cpu_with_agent", median(with.cpu_us), "us/conn"});
  if (storage_too) {
    report.add({name + ".ratio_with_storage_alone", ratio(with_storage), "ratio"});
    report.add({name + ".cpu_with_storage_alone", median(with_storage.cpu_us), "us/conn"});
  }
  report.add({name + ".agent_cpu", median(agent_cpu), "s/s"});
  report.add({name + ".packets_lost", lost, "packets", 0});
  return {};
}

}  // namespace

Result<void> measure_churn(Report& report) {
  const auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  auto loopback = Churn::over_loopback();
  if (!loopback) return std::unexpected(loopback.error());
  if (auto ok = measure(report, "churn", *loopback, true); !ok) return ok;
  auto between = Churn::between(*pair);
  if (!between) return std::unexpected(between.error());
  return measure(report, "churn.between_namespaces", *between, false);
}

}  // namespace orb8::bench
