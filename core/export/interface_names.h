// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace orb8 {

// Names of interfaces by ifindex, asked of the kernel once in a while: they are shown with every
// flow and change rarely. Not for several threads.
class InterfaceNames {
 public:
  // Valid UTF-8; empty when there is none (any more). Stays valid until the next call.
  const std::string& name_of(std::uint32_t ifindex);

 private:
  using Clock = std::chrono::steady_clock;
  std::unordered_map<std::uint32_t, std::string> names_;
  Clock::time_point asked_ = Clock::now();
};

}  // namespace orb8
