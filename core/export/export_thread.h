// An exporter's thread: asked to end in good time, and made to at a deadline.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace orb8 {

class ExportThread {
 public:
  // `asked`: hand over what there is, then return. `give_up`: return now.
  using Body = std::function<void(const std::stop_token& asked, const std::stop_token& give_up)>;

  explicit ExportThread(Body body);
  ~ExportThread();  // gives up
  ExportThread(const ExportThread&) = delete;
  ExportThread& operator=(const ExportThread&) = delete;

  void begin_stop() { thread_.request_stop(); }
  void stop_by(std::chrono::steady_clock::time_point deadline);

 private:
  std::stop_source give_up_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

// Waits for the time to be over or for one of both; whether the time was.
bool wait_unless_stopped(std::chrono::nanoseconds time, const std::stop_token& one,
                         const std::stop_token& other = {});

}  // namespace orb8
