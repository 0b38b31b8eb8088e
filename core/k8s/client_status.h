// How the client is: what `orb8 status` shows of it, and what the log says, once per trouble.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/k8s/resource.h"
#include "core/model/status.h"

namespace orb8::k8s {

// Written by the client's thread, read by any.
class ClientStatus {
 public:
  // The log gets a problem when it begins, not each time it is met again.
  void failed(Kind kind, const std::string& problem);
  void works(Kind kind);
  void listed(Kind kind);
  void count(std::uint64_t WatchCounters::* counter, std::uint64_t by = 1);

  Component component() const;
  WatchCounters counters() const;
  bool synced() const;  // each kind has been listed

 private:
  using Clock = std::chrono::steady_clock;
  struct State {
    std::string problem;
    bool listed = false;
  };

  bool fresh(const std::string& text);

  mutable std::mutex mutex_;
  std::array<State, kKinds.size()> states_;
  WatchCounters counters_;
  std::map<std::string, Clock::time_point> said_;  // when each text was last called for
};

}  // namespace orb8::k8s
