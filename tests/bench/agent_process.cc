// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/agent_process.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "core/base/unique_fd.h"

namespace orb8::bench {
namespace {

constexpr auto kAddress = "127.0.0.1:9090";
constexpr auto kLog = "build/bench-agent.log";
constexpr auto kStartTime = std::chrono::seconds(20);
constexpr auto kCallTime = std::chrono::seconds(10);
constexpr auto kFillTime = std::chrono::seconds(60);
constexpr auto kStopTime = std::chrono::seconds(15);
constexpr double kKibPerMib = 1024;

std::string program_path() {
  const char* folder = std::getenv("ORB8_BIN_DIR");
  return std::string(folder ? folder : "build/bin") + "/orb8-agent";
}

// Between fork and exec: system calls only.
[[noreturn]] void become(char* const argv[], int log_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log_fd, STDOUT_FILENO);
  ::dup2(log_fd, STDERR_FILENO);
  char* const no_environment[] = {nullptr};
  ::execve(argv[0], argv, no_environment);
  ::_exit(127);
}

Result<pid_t> spawn(std::string path, std::vector<std::string> arguments) {
  if (::access(path.c_str(), X_OK) != 0) return sys_error(errno, "run " + path);
  const UniqueFd log(::open(kLog, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!log) return sys_error(errno, "write " + std::string(kLog));
  std::vector<char*> argv = {path.data()};
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) become(argv.data(), log.get());
  if (pid < 0) return sys_error(errno, "start " + path);
  return pid;
}

std::unexpected<Error> rpc_error(const std::string& call, const grpc::Status& status) {
  return fail(Errc::kUnavailable, call + ": " + status.error_message() + " (the agent's log is " +
                                      std::string(kLog) + ")");
}

}  // namespace

Result<AgentProcess> AgentProcess::start(std::vector<std::string> arguments) {
  AgentProcess agent;
  const auto pid = spawn(program_path(), std::move(arguments));
  if (!pid) return std::unexpected(pid.error());
  agent.pid_ = *pid;
  if (auto ok = agent.connect(); !ok) return std::unexpected(ok.error());
  return agent;
}

Result<void> AgentProcess::connect() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // whatever http_proxy says
  stub_ = v1::OrbitAgentService::NewStub(
      grpc::CreateCustomChannel(kAddress, grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + kStartTime);
  v1::AgentStatus status;
  if (const auto ok = stub_->GetStatus(&context, {}, &status); !ok.ok()) {
    return rpc_error("wait for the agent", ok);
  }
  return {};
}

AgentProcess::AgentProcess(AgentProcess&& other) noexcept {
  *this = std::move(other);
}

AgentProcess& AgentProcess::operator=(AgentProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(stub_, other.stub_);
  return *this;
}

AgentProcess::~AgentProcess() {
  if (pid_ < 0) return;
  stub_.reset();  // a client that does not listen any more would hold up the agent's farewell
  ::kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kStopTime;
  while (std::chrono::steady_clock::now() < deadline) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

// smaps_rollup adds up the pages; VmRSS in /proc/PID/status may be off by what each CPU still
// holds back.
Result<double> AgentProcess::resident_mib() const {
  const auto path = "/proc/" + std::to_string(pid_) + "/smaps_rollup";
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("Rss:")) continue;
    return std::strtod(line.c_str() + 4, nullptr) / kKibPerMib;
  }
  return fail(Errc::kNotFound, path + " has no Rss: did the agent end? Its log is " + kLog);
}

Result<double> AgentProcess::most_resident_mib(std::chrono::seconds time) const {
  double most = 0;
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    const auto resident = resident_mib();
    if (!resident) return resident;
    most = std::max(most, *resident);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return most;
}

// proc(5): the command's name, in parentheses, may have spaces; utime and stime are the 12th and
// 13th field behind it, in clock ticks.
Result<double> AgentProcess::cpu_seconds() const {
  const auto path = "/proc/" + std::to_string(pid_) + "/stat";
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return fail(Errc::kNotFound, "read " + path);
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  if (!fields) return fail(Errc::kInternal, "read " + path);
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Result<v1::AgentStatus> AgentProcess::status() const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTime);
  v1::AgentStatus status;
  if (const auto ok = stub_->GetStatus(&context, {}, &status); !ok.ok()) {
    return rpc_error("GetStatus", ok);
  }
  return status;
}

Result<void> AgentProcess::wait_for_flows(std::uint32_t flows, bool exactly) const {
  const auto deadline = std::chrono::steady_clock::now() + kFillTime;
  for (;;) {
    const auto now = status();
    if (!now) return std::unexpected(now.error());
    const auto active = now->active_flows();
    if (exactly ? active == flows : active >= flows) return {};
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(Errc::kUnavailable, "the agent has " + std::to_string(active) +
                                          " flows instead of " + std::to_string(flows));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

Result<std::chrono::nanoseconds> AgentProcess::query(std::uint32_t limit,
                                                     v1::QueryFlowsResponse& response) {
  v1::QueryFlowsRequest request;
  request.set_limit(limit);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTime);
  const auto start = std::chrono::steady_clock::now();
  if (const auto ok = stub_->QueryFlows(&context, request, &response); !ok.ok()) {
    return rpc_error("QueryFlows", ok);
  }
  return std::chrono::steady_clock::now() - start;
}

}  // namespace orb8::bench
