// Connections that open and close as fast as one thread can do both ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "tests/bench/loopback.h"
#include "tests/bench/network_pair.h"

namespace orb8::bench {

class Churn {
 public:
  // Over loopback, in the calling thread's network namespace, which must be one of the program's
  // own: it is told to keep next to nothing in TIME_WAIT, so that a long run is like a short one.
  static Result<Churn> over_loopback();
  // From the calling thread, which is at the watched host, to servers of the other one.
  static Result<Churn> between(const NetworkPair& pair);

  // How many were opened, asked something, answered and closed.
  Result<std::uint64_t> run(std::chrono::steady_clock::duration time);

 private:
  Churn() = default;
  Result<void> listen(std::uint32_t first_ip, std::uint32_t ip_step);

  std::vector<Listener> servers_;
  std::size_t next_ = 0;
};

}  // namespace orb8::bench
