// Another process that watches, and can be killed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "core/source/tc_source.h"
#include "tests/netns/topology.h"

namespace orb8::netns {

class Holder {
 public:
  // Returns once it is attached; throws when it cannot be.
  Holder(const NetNs& ns, const TcSource::Options& options);
  ~Holder() { kill(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  // SIGKILL: it gets no chance to clean up. Returns once it is gone.
  void kill();

 private:
  pid_t pid_ = -1;
};

}  // namespace orb8::netns
