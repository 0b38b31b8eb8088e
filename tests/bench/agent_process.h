// The agent as users run it: a process of its own, asked over gRPC, weighed by /proc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "orb8/v1/agent.grpc.pb.h"

namespace orb8::bench {

class AgentProcess {
 public:
  // In the calling thread's network namespace, with default settings but for `arguments`. Returns
  // when it answers. The environment is not passed on: ORB8_* would change the figures.
  static Result<AgentProcess> start(std::vector<std::string> arguments);
  AgentProcess(AgentProcess&& other) noexcept;
  AgentProcess& operator=(AgentProcess&& other) noexcept;
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;
  ~AgentProcess();  // ends it

  pid_t pid() const noexcept { return pid_; }
  Result<double> resident_mib() const;
  Result<double> cpu_seconds() const;  // user and system, since its start

  // The most of a while, in which it is looked at ten times a second.
  Result<double> most_resident_mib(std::chrono::seconds time) const;

  Result<v1::AgentStatus> status() const;

  // Until it has so many flows, neither more nor less where `exactly`; a minute at most.
  Result<void> wait_for_flows(std::uint32_t flows, bool exactly) const;

  // One QueryFlows; how long it took, and its answer in `response`.
  Result<std::chrono::nanoseconds> query(std::uint32_t limit, v1::QueryFlowsResponse& response);

  v1::OrbitAgentService::Stub& stub() const { return *stub_; }

 private:
  AgentProcess() = default;
  Result<void> connect();

  pid_t pid_ = -1;
  std::unique_ptr<v1::OrbitAgentService::Stub> stub_;
};

}  // namespace orb8::bench
