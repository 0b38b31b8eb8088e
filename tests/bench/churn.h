// Connections that open and close as fast as one thread can do both ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "tests/bench/loopback.h"

namespace orb8::bench {

class Churn {
 public:
  // In the calling thread's network namespace, which must be one of the program's own: it is told
  // to keep next to nothing in TIME_WAIT, so that a long run is like a short one.
  static Result<Churn> open();

  // How many were opened, asked something, answered and closed.
  Result<std::uint64_t> run(std::chrono::steady_clock::duration time);
  // So many, however long it takes.
  Result<void> run(std::uint64_t connections);

 private:
  Churn() = default;
  Result<void> run_one();

  std::vector<Listener> servers_;
  std::size_t next_ = 0;
};

}  // namespace orb8::bench
