// Many TCP connections over loopback, open for as long as they are held.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace orb8::bench {

class LiveConnections {
 public:
  // In the calling thread's network namespace. Both ends are sockets of this process: half of
  // `sockets` are clients, and to an agent each is a connection with an owner of its own.
  static Result<LiveConnections> open(std::size_t sockets);

  // Each socket sends a byte, and takes the one that its peer sent: all of them move.
  Result<void> move_all();

 private:
  struct Pair {
    UniqueFd client;
    UniqueFd server;
  };
  explicit LiveConnections(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {}

  std::vector<Pair> pairs_;
};

}  // namespace orb8::bench
