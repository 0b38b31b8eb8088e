// This process's probes of connections' states and ends, taken off their tracepoints for a while.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/base/unique_fd.h"

namespace orb8::netns {

// What changes while this lives meets no program, as in a kernel that keeps them from some tasks.
class DeafProbes {
 public:
  explicit DeafProbes(const std::set<std::string>& tracepoints = {"inet_sock_set_state",
                                                                  "tcp_destroy_sock"});
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
