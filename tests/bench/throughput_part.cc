// What iperf3 gets over a wire between two hosts, with the agent and without, by turns.
// SPDX-License-Identifier: Apache-2.0
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/agent_process.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"

namespace orb8::bench {
namespace {

using std::chrono::milliseconds;

constexpr int kRounds = 9;
constexpr auto kSettleTime = milliseconds(1'000);
constexpr auto kStartTime = std::chrono::seconds(10);
constexpr double kRatioBar = 0.98;
constexpr auto kClient = "iperf3 -c 10.77.0.2 -t 3 -O 0.5 -J 2>&1";
constexpr auto kProbe = "iperf3 -c 10.77.0.2 -n 1K -J 2>&1";

// Serves one client after the other until its end.
class IperfServer {
 public:
  static Result<IperfServer> start() {
    std::string script = "exec iperf3 -s >/dev/null 2>&1";
    std::string name = "sh";
    std::string option = "-c";
    char* const argv[] = {name.data(), option.data(), script.data(), nullptr};
    pid_t pid = 0;
    if (const int err = ::posix_spawnp(&pid, "sh", nullptr, nullptr, argv, environ); err != 0) {
      return sys_error(err, "start iperf3");
    }
    return IperfServer(pid);
  }
  IperfServer(const IperfServer&) = delete;
  IperfServer& operator=(const IperfServer&) = delete;
  IperfServer(IperfServer&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  IperfServer& operator=(IperfServer&&) = delete;
  ~IperfServer() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  explicit IperfServer(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

std::string output_of(const char* command) {
  std::string text;
  FILE* pipe = ::popen(command, "re");
  if (pipe == nullptr) return text;
  std::array<char, 4096> chunk;
  while (const auto got = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    text.append(chunk.data(), got);
  }
  ::pclose(pipe);
  return text;
}

// As the receiver counts.
Result<double> gigabits_per_second(const NetworkPair& pair, const char* command) {
  std::string text;
  auto ok = pair.at_sender([&]() -> Result<void> {
    text = output_of(command);
    return {};
  });
  if (!ok) return std::unexpected(ok.error());
  const auto answer = nlohmann::json::parse(text, nullptr, false);
  if (answer.is_discarded()) return fail(Errc::kUnavailable, "run iperf3: " + text);
  if (answer.contains("error")) {
    return fail(Errc::kUnavailable, "run iperf3: " + answer["error"].get<std::string>());
  }
  return answer["end"]["sum_received"]["bits_per_second"].get<double>() / 1e9;
}

Result<void> wait_for_server(const NetworkPair& pair) {
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  for (;;) {
    const auto answer = gigabits_per_second(pair, kProbe);
    if (answer) return {};
    if (std::chrono::steady_clock::now() > deadline) return std::unexpected(answer.error());
    std::this_thread::sleep_for(milliseconds(50));
  }
}

Result<double> round_with_agent(const NetworkPair& pair) {
  const auto agent = AgentProcess::start({"--flow-source", "socket"});
  if (!agent) return std::unexpected(agent.error());
  std::this_thread::sleep_for(kSettleTime);
  return gigabits_per_second(pair, kClient);
}

}  // namespace

Result<void> measure_throughput(Report& report) {
  const auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  const auto server = IperfServer::start();
  if (!server) return std::unexpected(server.error());
  if (auto ok = wait_for_server(*pair); !ok) return ok;
  std::vector<double> without;
  std::vector<double> with;
  for (int round = 0; round < kRounds; ++round) {
    std::this_thread::sleep_for(kSettleTime);
    const auto alone = gigabits_per_second(*pair, kClient);
    if (!alone) return std::unexpected(alone.error());
    const auto watched = round_with_agent(*pair);
    if (!watched) return std::unexpected(watched.error());
    without.push_back(*alone);
    with.push_back(*watched);
  }
  report.add({"throughput.without_agent", median(without), "Gbit/s"});
  report.add({"throughput.with_agent", median(with), "Gbit/s"});
  report.add({"throughput.ratio", median(with) / median(without), "ratio", kRatioBar, true});
  return {};
}

}  // namespace orb8::bench
