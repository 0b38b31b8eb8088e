// For tests: a place for flow records that keeps them, refuses them or hangs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/export/export_tally.h"
#include "core/export/flow_sink.h"

namespace orb8 {

// What is said and seen, by the test's thread and the exporter's.
class SinkScript {
 public:
  std::vector<Event> records() const {
    const std::lock_guard lock(mutex_);
    return records_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
  }
  std::size_t intervals() const {
    const std::lock_guard lock(mutex_);
    return intervals_;
  }
  bool is_hanging() const {
    const std::lock_guard lock(mutex_);
    return hanging_;
  }
  void hang(bool yes) {
    const std::lock_guard lock(mutex_);
    hang_ = yes;
    changed_.notify_all();
  }
  // One write that hangs, or will, may go on.
  void let_one_pass() {
    const std::lock_guard lock(mutex_);
    ++passes_;
    changed_.notify_all();
  }
  void refuse(bool yes) {
    const std::lock_guard lock(mutex_);
    refuse_ = yes;
  }

 private:
  friend class RecordingSink;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Event> records_;
  std::size_t intervals_ = 0;
  bool hang_ = false;
  bool hanging_ = false;
  int passes_ = 0;
  bool refuse_ = false;
};

class RecordingSink final : public FlowSink {
 public:
  RecordingSink(SinkScript& script, std::shared_ptr<ExportTally> tally)
      : script_(script), tally_(std::move(tally)) {}

  bool write(std::span<const Event> records, const std::stop_token& give_up) override {
    std::unique_lock lock(script_.mutex_);
    script_.hanging_ = script_.hang_ && script_.passes_ == 0;
    script_.changed_.wait(lock, give_up, [&] { return !script_.hang_ || script_.passes_ > 0; });
    if (script_.hang_ && script_.passes_ > 0) --script_.passes_;
    script_.hanging_ = false;
    if (give_up.stop_requested() || script_.refuse_) {
      give_up.stop_requested() ? tally_->add_dropped(records.size())
                               : tally_->add_failed(records.size());
      return false;
    }
    script_.records_.insert(script_.records_.end(), records.begin(), records.end());
    tally_->add_exported(records.size());
    return true;
  }
  bool flush(const std::stop_token& /*give_up*/) override { return true; }
  void interval_over() override {
    const std::lock_guard lock(script_.mutex_);
    ++script_.intervals_;
  }

 private:
  SinkScript& script_;
  std::shared_ptr<ExportTally> tally_;
};

}  // namespace orb8
