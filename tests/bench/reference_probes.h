// The programs that the product is measured against, loaded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/result.h"

struct reference_bpf;

namespace orb8::bench {

class ReferenceProbes {
 public:
  static Result<ReferenceProbes> load(std::uint32_t ring_bytes);

  int empty_fd() const;
  int empty_skb_fd() const;
  int has_socket_fd() const;
  int ring_per_packet_fd() const;
  int ring_fd() const;
  Result<std::uint64_t> events_lost() const;  // the ring was full

 private:
  struct Destroy {
    void operator()(reference_bpf* skeleton) const;
  };
  using Skeleton = std::unique_ptr<reference_bpf, Destroy>;
  explicit ReferenceProbes(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}

  Skeleton skeleton_;
};

}  // namespace orb8::bench
