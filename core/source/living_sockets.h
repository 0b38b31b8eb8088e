// Which sockets a census found open.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace orb8 {

// By their cookies, sorted: of 100,000 a set of nodes would take 4 MiB, and this takes 1.
class LivingSockets {
 public:
  explicit LivingSockets(std::vector<std::uint64_t> cookies) : cookies_(std::move(cookies)) {
    std::ranges::sort(cookies_);
  }

  bool contains(std::uint64_t cookie) const { return std::ranges::binary_search(cookies_, cookie); }

 private:
  std::vector<std::uint64_t> cookies_;
};

}  // namespace orb8
