// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>

namespace orb8::bench {

// What the calling thread took of the CPU so far, in the kernel's code too.
inline double thread_cpu_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

}  // namespace orb8::bench
