// SPDX-License-Identifier: Apache-2.0
#include "cli/wait.h"

#include <condition_variable>
#include <mutex>

namespace orb8 {

bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

StopAfter::StopAfter(const std::stop_token& outer, std::optional<std::chrono::milliseconds> time)
    : forward_(outer, [this] { source_.request_stop(); }) {
  if (!time) return;
  timer_ = std::jthread([this, time = *time](const std::stop_token& unneeded) {
    if (wait_for(time, unneeded)) source_.request_stop();
  });
}

}  // namespace orb8
