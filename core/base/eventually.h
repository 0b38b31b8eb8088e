// For tests: waiting for what another thread, process or the kernel does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <thread>

namespace orb8 {

// Whether the condition comes true within `patience`. Between two looks the CPU is left to what is
// waited for.
template <class Condition>
bool eventually(const Condition& condition,
                std::chrono::milliseconds patience = std::chrono::seconds(20),
                std::chrono::milliseconds pause = std::chrono::milliseconds(1)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

}  // namespace orb8
