// What a busy small machine does, for as long as it is left to: connections that come and go, UDP
// with many peers that change, and UDP sockets that send once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "tests/bench/churn.h"

namespace orb8::bench {

class SoakTraffic {
 public:
  static constexpr std::uint16_t kPort = 9;  // discard: where the datagrams go

  // Over loopback of the calling thread's network namespace, which is the program's own.
  static Result<std::unique_ptr<SoakTraffic>> start();

  std::uint64_t connections() const noexcept { return connections_; }
  std::uint64_t datagrams() const noexcept { return datagrams_; }
  // No connection is opened and no datagram sent from here on.
  void stop();
  // The first thing that went wrong.
  Result<void> check() const;

 private:
  explicit SoakTraffic(Churn churn) : churn_(std::move(churn)) {}
  Result<void> open();
  void run(const std::stop_token& stop);
  Result<void> churn_a_little();
  Result<void> talk_to_peers(std::uint64_t tick);

  Churn churn_;
  UniqueFd sink_;    // nobody reads it
  UniqueFd sender_;  // one socket, many peers
  std::atomic<std::uint64_t> connections_ = 0;
  std::atomic<std::uint64_t> datagrams_ = 0;
  mutable std::mutex mutex_;
  Result<void> result_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace orb8::bench
