// What a stream of the agent's tells of one network namespace, counted.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "core/base/result.h"
#include "tests/bench/agent_process.h"

namespace orb8::bench {

class ToldEvents {
 public:
  // How much an event counts.
  using CountFn = std::function<std::uint64_t(const v1::NetworkEvent&)>;

  // Of the calling thread's network namespace. Nothing is missed from here on. The agent outlives
  // it.
  static Result<std::unique_ptr<ToldEvents>> start(const AgentProcess& agent,
                                                   const v1::FlowFilter& filter, CountFn count);
  ToldEvents(const ToldEvents&) = delete;
  ToldEvents& operator=(const ToldEvents&) = delete;
  ~ToldEvents();

  std::uint64_t sum() const noexcept { return sum_; }

 private:
  ToldEvents(std::uint32_t netns, CountFn count) : netns_(netns), count_(std::move(count)) {}
  void read();

  std::uint32_t netns_;
  CountFn count_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::NetworkEvent>> reader_;
  std::atomic<std::uint64_t> sum_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace orb8::bench
