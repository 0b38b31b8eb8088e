// The flows alive now: bounded, aggregated, of one thread. Readers get immutable snapshots.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/flow/flow_index.h"
#include "core/model/event.h"
#include "core/model/flow.h"

namespace orb8 {

// A run of rows, the unit that the table and its snapshots share.
struct FlowPage {
  static constexpr std::size_t kRows = 128;
  std::array<Flow, kRows> rows;
  std::bitset<kRows> used;
};

// All flows as they were at one share(). Safe to read from any thread, for as long as it is held.
class FlowSnapshot {
 public:
  using Readers = std::shared_ptr<std::atomic<std::uint32_t>>;

  explicit FlowSnapshot(Readers readers) : readers_(std::move(readers)) { ++*readers_; }
  FlowSnapshot(const FlowSnapshot&) = delete;
  FlowSnapshot& operator=(const FlowSnapshot&) = delete;
  ~FlowSnapshot();

  // Every flow once, in no particular order.
  void for_each(const std::function<void(const Flow&)>& visit) const;
  // Those of `count` pages from the one numbered `first` on, less where there are no more. A flow
  // keeps its page for as long as it lives: who goes through the pages, of one snapshot after
  // another, meets each flow that lives on exactly once, and holds no snapshot for long.
  void for_each_in(std::size_t first, std::size_t count,
                   const std::function<void(const Flow&)>& visit) const;
  std::size_t page_numbers() const noexcept { return pages_.size(); }  // one above the last

  std::size_t size() const noexcept { return size_; }
  // What it weighs: pages, shared with the table or not.
  std::size_t pages() const noexcept;

 private:
  friend class FlowTable;
  std::vector<std::shared_ptr<const FlowPage>> pages_;  // by number; null: nobody is there
  std::size_t size_ = 0;
  Readers readers_;  // how many snapshots are alive
};

// Rows lie in pages. share() hands the present pages to a reader; while somebody holds them, the
// writer copies a page before it first changes it. So readers hold the writer up for a pointer's
// copy a page at most, and nothing is copied while nobody reads. Rows go to the lowest page with
// room, and tidy() frees the pages that a burst has left empty. 100,000 flows cost 16 MiB.
//
// All times are of one clock, the wall's. Stepped forward, it ends the flows that are silent just
// then too early; the next packet starts them anew and nothing is lost. Stepped back, it lets them
// start their silence again.
class FlowTable {
 public:
  struct Limits {
    std::size_t max_flows = 100'000;
    std::int64_t idle_timeout_ns = 30'000'000'000;
    std::int64_t closed_timeout_ns = 2'000'000'000;  // silence after FIN or RST until the end
  };
  // Closed connections end soon, and are looked for with each snapshot; idle flows now and then.
  enum class Due : std::uint8_t { kClosed, kAll };

  // Called for each new flow, and again when another process has its socket.
  using ResolveFn = std::function<FlowOwnersRef(const FlowRecord&)>;

  // What one record changed.
  struct Change {
    const Flow* flow = nullptr;  // valid until the next call that writes; null: no such flow
    std::uint64_t packets = 0;   // moved
    std::uint64_t bytes = 0;
    std::uint64_t payload_bytes = 0;
    std::uint32_t retransmits = 0;  // of its socket: each of the two flows has them
    bool started = false;
    bool closed = false;  // its socket was closed by this record

    // A socket is read while it goes on: each of the counters may come without the others.
    bool has_moved() const { return packets != 0 || bytes != 0 || payload_bytes != 0; }
  };
  struct Ended {
    Flow flow;
    EndReason reason = EndReason::kNone;
    FlowProgress told;  // what the source had said by then: its last word can still be added

    // Adds what moved since, and tells it; of a flow that is out of the table.
    FlowProgress add_last(const FlowRecord& record);
  };

  explicit FlowTable(Limits limits);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;
  ~FlowTable() = default;

  // Adds what the record moved. A new flow in a full table pushes out one whose socket is closed,
  // or the one that has not moved for longest: see take_evicted(). A record that moved nothing
  // changes nothing but what is known of the socket.
  Change apply(const FlowRecord& record, const ResolveFn& resolve);

  // Flows idle, or closed and silent, at `now_ns` (Unix epoch). They stay until end(), so that the
  // source's last record can still be applied. Looks at these flows only, however many there are.
  std::vector<ToldFlow> due(std::int64_t now_ns, Due which = Due::kAll);

  // Removes the flow, unless it moved meanwhile and is not due any more.
  std::optional<Ended> end(const FlowKey& key, std::int64_t now_ns);

  // Of the flows whose socket is open those that are `wanted`.
  std::vector<FlowKey> held(const std::function<bool(const FlowKey&)>& wanted) const;

  // Valid until the next call that writes; null: no such flow.
  const Flow* find(const FlowKey& key) const;
  // What the socket at the other end has of the same packets, where that end is in this machine
  // too: `netns` is this end's, within which alone loopback addresses meet. Of several, since ends
  // are used again, the one that began nearest to `began_ns`. Null: there is none.
  const Flow* other_end(const FlowKey& key, std::uint32_t netns, std::int64_t began_ns) const;

  // What the source had said of a flow in the table.
  FlowProgress told(const FlowKey& key) const;

  // Names the owners of a flow in the table anew.
  void set_owners(const FlowKey& key, FlowOwnersRef owners);

  // Flows pushed out since the last call.
  std::vector<Ended> take_evicted();

  // The present state, for a reader of any thread. Costs a pointer a page, and nothing where
  // nothing has changed and the one before is still held.
  std::shared_ptr<const FlowSnapshot> share();

  // Gives back what ended flows have left; worth a call now and then.
  void tidy();

  std::uint64_t evicted() const noexcept { return evicted_; }
  std::uint64_t expired() const noexcept { return expired_; }
  std::size_t size() const noexcept { return index_.size(); }

 private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = FlowIndex::kNone;

  // Of each slot, what only the writer needs.
  struct Progress {
    std::uint64_t incarnation = 0;  // the present one
    Slot older = kNone;             // neighbours in its line
    Slot newer = kNone;
  };
  // Flows in the order of their last movement, in lines of those that wait equally long: the first
  // of a line is the first of it that is due.
  struct Line {
    Slot oldest = kNone;
    Slot newest = kNone;
  };
  struct Page {
    std::shared_ptr<FlowPage> rows;  // null while none is used
    std::unique_ptr<std::array<Progress, FlowPage::kRows>> progress;
    std::uint64_t written = 0;  // share_count_ + 1 when it was copied: not shared since
    std::size_t used = 0;
  };

  const Flow& row(Slot slot) const;
  const Progress& progress(Slot slot) const;
  Progress& progress(Slot slot);
  FlowProgress told(Slot slot) const;
  void add_before(Slot slot, const FlowProgress& more);
  FlowPage& writable_page(Slot slot);
  Flow& writable_row(Slot slot);

  Slot take_slot();
  Slot add_row(const FlowRecord& record, std::uint32_t hash);
  void remove(Slot slot);
  Change advance(Slot slot, const FlowRecord& record);

  Line& line_of(const Flow& flow);
  void link_newest(Slot slot);
  void unlink(Slot slot);
  Slot first_to_go() const;
  void push_out(Slot slot);
  bool change_facts(Slot slot, const FlowRecord& record);

  EndReason reason_to_end(const Flow& flow, std::int64_t now_ns) const;
  void follow_clock(std::int64_t now_ns);
  void give_back();

  Limits limits_;
  std::vector<Page> pages_;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> pages_with_room_;
  FlowIndex index_;
  Line idling_;
  Line closed_;  // their FIN or RST was seen, or their socket is closed
  Line held_;    // their socket is open: never due
  std::vector<Ended> pushed_out_;
  std::int64_t clock_ns_ = 0;  // at the last due()
  // What is in a row beside the present incarnation's counters: earlier ones', and increments.
  std::unordered_map<Slot, FlowProgress> before_;
  std::uint64_t share_count_ = 0;
  bool changed_ = false;         // since the last share()
  std::size_t freed_pages_ = 0;  // since the last give_back() that did something
  std::uint64_t evicted_ = 0;
  std::uint64_t expired_ = 0;
  FlowSnapshot::Readers readers_;
  std::weak_ptr<const FlowSnapshot> shared_;  // the last
};

}  // namespace orb8
