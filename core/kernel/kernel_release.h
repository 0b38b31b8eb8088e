// Which Linux this is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>

namespace orb8 {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

// "6.1.0-13-amd64", as `uname -r` has it.
std::string running_release();

// 0.0 for what has no version in front.
KernelVersion parse_release(const std::string& release);

}  // namespace orb8
