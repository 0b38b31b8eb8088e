// Socket-local storage for each end of each connection, while it lives, and nothing else: the least
// that the socket source's probes cost.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/base/result.h"

struct storage_bpf;

namespace orb8::bench {

class StorageAlone {
 public:
  // For all sockets of the machine that are opened from now on.
  static Result<StorageAlone> attach();

 private:
  struct Destroy {
    void operator()(storage_bpf* skeleton) const;
  };
  using Skeleton = std::unique_ptr<storage_bpf, Destroy>;
  explicit StorageAlone(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}

  Skeleton skeleton_;
};

}  // namespace orb8::bench
