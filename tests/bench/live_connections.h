// Many TCP connections over loopback, open for as long as they are held.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace orb8::bench {

class LiveConnections {
 public:
  // In the calling thread's network namespace. Both ends are there: half of `sockets` are clients,
  // and to an agent each socket is a connection with an owner of its own. They are held by as many
  // processes as the limit of open files makes necessary, which end with this one.
  static Result<LiveConnections> open(std::size_t sockets);
  LiveConnections(const LiveConnections&) = delete;
  LiveConnections& operator=(const LiveConnections&) = delete;
  LiveConnections(LiveConnections&&) noexcept = default;
  LiveConnections& operator=(LiveConnections&&) = delete;
  ~LiveConnections();

  // Each socket sends a byte, and takes the one that its peer sent: all of them move.
  Result<void> move_all();

 private:
  struct Holder {
    pid_t pid = -1;
    UniqueFd talk;  // a byte each way: go, and done
  };
  LiveConnections() = default;
  static Result<Holder> start(std::size_t number, std::size_t sockets);

  std::vector<Holder> holders_;
};

}  // namespace orb8::bench
