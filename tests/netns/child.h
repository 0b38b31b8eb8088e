// Another process, for as long as the test wants it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "core/source/tc_source.h"
#include "tests/netns/topology.h"

namespace orb8::netns {

class Child {
 public:
  // `work` runs there; then it waits to be killed. Returns when `work` has; throws when it threw.
  explicit Child(const std::function<void()>& work);
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // SIGKILL: it gets no chance to clean up. Returns once it is gone.
  void kill();

  std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

 private:
  pid_t pid_ = -1;
};

// One that watches; it is attached.
Child watch_elsewhere(const NetNs& ns, const TcSource::Options& options);

}  // namespace orb8::netns
