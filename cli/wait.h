// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

namespace orb8 {

// Waits, but not longer than until `stop` is requested. False: it was.
bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop);

// A source of stop requests that follows another one and, if there is one, a deadline.
class StopAfter {
 public:
  StopAfter(const std::stop_token& outer, std::optional<std::chrono::milliseconds> time);

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread timer_;
};

}  // namespace orb8
