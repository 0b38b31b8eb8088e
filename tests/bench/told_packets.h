// The packets that a stream of the agent's tells of: each that moved, and each once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "core/base/result.h"
#include "tests/bench/agent_process.h"

namespace orb8::bench {

class ToldPackets {
 public:
  // Of UDP at this port, of the calling thread's network namespace. Nothing is missed from here on.
  // The agent outlives it.
  static Result<std::unique_ptr<ToldPackets>> start(const AgentProcess& agent, std::uint16_t port);
  ToldPackets(const ToldPackets&) = delete;
  ToldPackets& operator=(const ToldPackets&) = delete;
  ~ToldPackets();

  std::uint64_t packets() const noexcept { return packets_; }

 private:
  explicit ToldPackets(std::uint32_t netns) : netns_(netns) {}
  void read();

  std::uint32_t netns_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::NetworkEvent>> reader_;
  std::atomic<std::uint64_t> packets_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace orb8::bench
