// The flows that have ended lately, once each and whole: of one thread. Readers get immutable
// snapshots.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "core/model/flow.h"

namespace orb8 {

struct EndedFlow {
  Flow flow;                  // its end_reason says why
  std::int64_t ended_ns = 0;  // when it left the table; no two have the same
};

// A run of ended flows, the unit that the history and its snapshots share. What has been written
// stays as it is: a reader looks at no row behind those that were there at its share().
struct HistoryPage {
  static constexpr std::size_t kRows = 128;
  std::array<EndedFlow, kRows> rows;
};

// All that was kept at one share(). Safe to read from any thread, for as long as it is held.
class HistorySnapshot {
 public:
  // In the order of their ends.
  void for_each(const std::function<void(const EndedFlow&)>& visit) const;
  std::size_t size() const noexcept { return size_; }
  // Every flow that ended at this moment or later, and before the share(), is in it.
  std::int64_t complete_from_ns() const noexcept { return complete_from_ns_; }

 private:
  friend class FlowHistory;
  std::vector<std::shared_ptr<const HistoryPage>> pages_;
  std::size_t first_ = 0;  // row of the first page
  std::size_t size_ = 0;
  std::int64_t complete_from_ns_ = 0;
};

// A ring: of too many the oldest goes, counted, and all go when they are old enough. Pages are made
// as they fill and freed as they empty, so that nothing is held where nothing ends; 65,536 flows
// cost 10 MiB, and their owners, of whom there may be one for each.
//
// Each end, and each moment that a reader is told of, has a time of its own, so that it is never in
// doubt which came first. Where the wall clock is set back, these times wait for it, a nanosecond
// apart, and what is there stays for longer.
class FlowHistory {
 public:
  struct Limits {
    std::size_t max_flows = 65'536;  // 0: nothing is kept
    std::int64_t max_age_ns = 900'000'000'000;
  };

  // Times are of the wall's clock, in nanoseconds of the Unix epoch.
  FlowHistory(Limits limits, std::int64_t now_ns);

  void add(const Flow& flow, EndReason reason, std::int64_t now_ns);

  // Frees what is too old.
  void expire(std::int64_t now_ns);

  // The present moment: later than every end that was added, earlier than every one to come.
  std::int64_t moment(std::int64_t now_ns);

  // The present state, for a reader of any thread. Costs a pointer a page.
  std::shared_ptr<const HistorySnapshot> share() const;

  std::size_t size() const noexcept { return size_; }
  std::size_t pages() const noexcept { return pages_.size(); }
  std::uint64_t overwritten() const noexcept { return overwritten_; }  // before their time
  std::int64_t complete_from_ns() const noexcept { return complete_from_ns_; }

 private:
  const EndedFlow& oldest() const { return pages_.front()->rows[first_]; }
  void drop_oldest();
  void give_back();

  Limits limits_;
  std::deque<std::shared_ptr<HistoryPage>> pages_;
  std::size_t first_ = 0;  // row of the first page that is still kept
  std::size_t size_ = 0;
  std::size_t freed_pages_ = 0;  // since the last give_back() that did something
  std::uint64_t overwritten_ = 0;
  std::int64_t complete_from_ns_;
  std::int64_t last_moment_ns_;
};

}  // namespace orb8
