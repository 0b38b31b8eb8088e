// Where readers of any thread ask the pipeline's thread for a snapshot.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace orb8 {

// A snapshot is made when somebody asks, and lives as long as he reads: nothing is kept, nor copied
// by the writer, for readers who do not come.
template <class Value>
class Desk {
 public:
  using Snapshot = std::shared_ptr<const Value>;
  using Patience = std::optional<std::chrono::nanoseconds>;  // none: without end

  // `wake` makes the pipeline's thread look at wanted() soon; called by the readers' threads.
  explicit Desk(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Any thread but the pipeline's. Waits for that: as long as it takes to get from one record to
  // the next. Null: the patience was over first; never without one, once it is open.
  Snapshot ask(Patience patience = {}) {
    std::unique_lock lock(mutex_);
    if (finished_) return shown_;
    const auto mine = ++asked_count_;
    ++waiting_;
    wanted_.store(true, std::memory_order_relaxed);
    lock.unlock();
    wake_();
    lock.lock();
    const auto is_answered = [&] { return finished_ || answered_count_ >= mine; };
    bool answered = true;
    if (patience) {
      answered = answered_.wait_for(lock, *patience, is_answered);
    } else {
      answered_.wait(lock, is_answered);
    }
    --waiting_;
    auto mine_to_read = waiting_ == 0 && !finished_ ? std::exchange(shown_, nullptr) : shown_;
    return answered ? mine_to_read : nullptr;
  }

  // The pipeline's thread: between two records, whenever wanted().
  bool wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  // `take` makes the snapshot. Who asks meanwhile gets the next: this one may be older than the
  // question, and without what is wanted.
  template <class Take>
  void answer(const Take& take) {
    std::unique_lock lock(mutex_);
    wanted_.store(false, std::memory_order_relaxed);
    const auto served = asked_count_;
    lock.unlock();
    Snapshot snapshot = take();
    lock.lock();
    answered_count_ = served;
    if (waiting_ == 0) return;
    shown_ = std::move(snapshot);
    answered_.notify_all();
  }

  // The last answer, which all get from here on.
  void finish(Snapshot snapshot) {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    shown_ = std::move(snapshot);
    answered_.notify_all();
  }

 private:
  std::function<void()> wake_;
  std::atomic<bool> wanted_ = false;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::uint64_t asked_count_ = 0;
  std::uint64_t answered_count_ = 0;  // of those who asked
  std::uint64_t waiting_ = 0;
  bool finished_ = false;
  Snapshot shown_;  // while somebody waits, or when finished
};

}  // namespace orb8
