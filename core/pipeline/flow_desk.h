// Where readers of any thread ask the pipeline's thread for the flows as they are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "core/flow/flow_table.h"

namespace orb8 {

// A snapshot is made when somebody asks, and lives as long as he reads: nothing is kept, nor copied
// by the writer, for readers who do not come.
class FlowDesk {
 public:
  using Snapshot = std::shared_ptr<const FlowSnapshot>;

  // `wake` makes the pipeline's thread look at wanted() soon; called by the readers' threads.
  explicit FlowDesk(std::function<void()> wake);

  // Any thread but the pipeline's. Waits for that: as long as it takes to get from one record to
  // the next. Never null once it is open.
  Snapshot ask();

  // The pipeline's thread: between two records, whenever wanted().
  bool wanted() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  void answer(Snapshot flows);

  // The last answer, which all get from here on.
  void finish(Snapshot flows);

 private:
  std::function<void()> wake_;
  std::atomic<bool> wanted_ = false;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::uint64_t asked_count_ = 0;
  std::uint64_t answered_count_ = 0;  // of those who asked
  std::uint64_t waiting_ = 0;
  bool finished_ = false;
  Snapshot shown_;  // until all that wait have taken it
};

}  // namespace orb8
