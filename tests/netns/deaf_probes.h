// This process's probes of connections' states, taken off the tracepoint for a while.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/base/unique_fd.h"

namespace orb8::netns {

// What changes while this lives meets no program, as in a kernel that keeps them from some tasks.
class DeafProbes {
 public:
  DeafProbes();
  ~DeafProbes();
  DeafProbes(const DeafProbes&) = delete;
  DeafProbes& operator=(const DeafProbes&) = delete;

 private:
  struct Probe {
    int link_fd = -1;  // whoever attached it closes this number, whatever is behind it by then
    UniqueFd program;
  };
  std::vector<Probe> probes_;
};

}  // namespace orb8::netns
