// SPDX-License-Identifier: Apache-2.0
#include "core/export/export_thread.h"

#include <utility>

namespace orb8 {

ExportThread::ExportThread(Body body)
    : thread_([this, run = std::move(body)](const std::stop_token& asked) {
        run(asked, give_up_.get_token());
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
      }) {}

ExportThread::~ExportThread() {
  give_up_.request_stop();
  thread_.request_stop();
}

void ExportThread::stop_by(std::chrono::steady_clock::time_point deadline) {
  thread_.request_stop();
  {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [&] { return ended_; });
  }
  give_up_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool wait_unless_stopped(std::chrono::nanoseconds time, const std::stop_token& one,
                         const std::stop_token& other) {
  std::mutex mutex;
  std::condition_variable_any changed;
  // The other token's part: `wait_for` itself knows of one alone.
  const std::stop_callback wake(other, [&] {
    const std::lock_guard lock(mutex);
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait_for(lock, one, time, [&] { return other.stop_requested(); });
  return !one.stop_requested() && !other.stop_requested();
}

}  // namespace orb8
