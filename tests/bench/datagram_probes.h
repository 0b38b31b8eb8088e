// What the socket source has on the way of a packet, loaded and attached to nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/result.h"

struct socket_bpf;

namespace orb8::bench {

class DatagramProbes {
 public:
  static Result<DatagramProbes> load();

  int ingress_fd() const;
  int egress_fd() const;
  // Packets that were not added to their socket's counters, whatever the reason.
  Result<std::uint64_t> missed() const;

 private:
  struct Destroy {
    void operator()(socket_bpf* skeleton) const;
  };
  using Skeleton = std::unique_ptr<socket_bpf, Destroy>;
  explicit DatagramProbes(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}

  Skeleton skeleton_;
};

}  // namespace orb8::bench
