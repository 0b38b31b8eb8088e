// How long to wait before the next try: longer each time, and not all clients at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <random>

namespace orb8::k8s {

class Backoff {
 public:
  struct Limits {
    std::chrono::milliseconds first{800};
    std::chrono::milliseconds most{30'000};
  };

  explicit Backoff(Limits limits) : limits_(limits), random_(std::random_device{}()) {}

  // Between half and all of a delay that doubles from `first` to `most`.
  std::chrono::milliseconds next();
  void reset() { tries_ = 0; }

  // Calls of next() since the last reset().
  unsigned tries() const { return tries_; }

 private:
  Limits limits_;
  std::minstd_rand random_;
  unsigned tries_ = 0;
};

}  // namespace orb8::k8s
