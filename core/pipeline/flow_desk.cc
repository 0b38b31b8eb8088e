// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/flow_desk.h"

#include <utility>

namespace orb8 {

FlowDesk::FlowDesk(std::function<void()> wake) : wake_(std::move(wake)) {}

FlowDesk::Snapshot FlowDesk::ask() {
  std::unique_lock lock(mutex_);
  if (finished_) return shown_;
  const auto mine = ++asked_count_;
  ++waiting_;
  wanted_.store(true, std::memory_order_relaxed);
  lock.unlock();
  wake_();
  lock.lock();
  answered_.wait(lock, [&] { return finished_ || answered_count_ >= mine; });
  --waiting_;
  return waiting_ == 0 && !finished_ ? std::exchange(shown_, nullptr) : shown_;
}

void FlowDesk::answer(Snapshot flows) {
  const std::lock_guard lock(mutex_);
  wanted_.store(false, std::memory_order_relaxed);
  answered_count_ = asked_count_;
  if (waiting_ == 0) return;
  shown_ = std::move(flows);
  answered_.notify_all();
}

void FlowDesk::finish(Snapshot flows) {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  shown_ = std::move(flows);
  answered_.notify_all();
}

}  // namespace orb8
