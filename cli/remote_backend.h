// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "cli/backend.h"

namespace orb8 {

struct RemoteOptions {
  std::string agent;  // HOST:PORT
  Patience connect;
  // A stream's agent is asked for a sign of life so often, and must answer in time. A question of
  // ours rather than HTTP/2's own ping: servers close the connection of one who pings "too much",
  // which for gRPC is once in five minutes.
  std::chrono::milliseconds alive_every{10'000};
  std::chrono::milliseconds alive_within{5'000};
};

// An agent by gRPC. kUnavailable: nobody there answers as an agent does; says why.
Result<std::unique_ptr<Backend>> connect_to_agent(const RemoteOptions& options);

}  // namespace orb8
