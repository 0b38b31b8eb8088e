// The flows alive now: bounded, aggregated, one writer. Readers get immutable snapshots.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/model/event.h"
#include "core/model/flow.h"

namespace orb8 {

// A fixed-size run of rows. Shared by the table and by snapshots; copied by the writer before it
// changes one that a snapshot also holds.
struct FlowPage;

// All flows as they were at one publish(). Cheap to copy, safe to read from any thread.
class FlowSnapshot {
 public:
  // Calls `visit` for every flow, in no particular order.
  void for_each(const std::function<void(const Flow&)>& visit) const;
  std::size_t size() const noexcept { return size_; }

 private:
  friend class FlowTable;
  std::vector<std::shared_ptr<const FlowPage>> pages_;
  std::size_t size_ = 0;
};

class FlowTable {
 public:
  struct Limits {
    std::size_t max_flows = 100'000;
    std::int64_t idle_timeout_ns = 30'000'000'000;
    std::int64_t closed_timeout_ns = 2'000'000'000;  // silence after FIN or RST until the end
  };
  using ResolveFn = std::function<FlowOwners(const FlowRecord&)>;

  // What one record changed.
  struct Change {
    const Flow* flow = nullptr;  // valid until the next call that writes
    std::uint64_t packets = 0;   // moved
    std::uint64_t bytes = 0;
    bool started = false;
  };
  struct Ended {
    Flow flow;
    EndReason reason = EndReason::kNone;
  };

  explicit FlowTable(Limits limits);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // --- the writer's thread ---

  // Adds what the record moved. `resolve` runs once, when the flow is new. A new flow in a full
  // table pushes out the one idle for longest: see take_evicted().
  Change apply(const FlowRecord& record, const ResolveFn& resolve);

  // Keys of flows idle, or closed and silent, at `now_ns` (Unix epoch). They stay in the table
  // until end(), so that the source's last record can still be applied.
  std::vector<FlowKey> due(std::int64_t now_ns) const;

  // Removes the flow, unless it moved again and is no longer due at `now_ns`; counts it as expired.
  std::optional<Ended> end(const FlowKey& key, std::int64_t now_ns);

  // Flows pushed out since the last call. The caller forgets them in the kernel and reports them.
  std::vector<Ended> take_evicted();

  // Makes the present state visible to readers.
  void publish();

  std::uint64_t evicted() const noexcept { return evicted_; }
  std::uint64_t expired() const noexcept { return expired_; }
  std::size_t size() const noexcept;

  // --- any thread ---

  // The state at the last publish(). Holds the lock for a pointer copy only.
  std::shared_ptr<const FlowSnapshot> snapshot() const;

 private:
  Limits limits_;
  std::uint64_t evicted_ = 0;
  std::uint64_t expired_ = 0;
  mutable std::mutex published_mutex_;
  std::shared_ptr<const FlowSnapshot> published_;
};

// --- reading a snapshot ---

enum class FlowSort : std::uint8_t { kBytes, kPackets, kLastSeen };

struct FlowFilter;

struct FlowPick {
  std::vector<Flow>
      flows;  // sorted, largest (or latest) first; ties by key, so that order is stable
  std::size_t matched = 0;  // also beyond the limit
};

// The `limit` first flows that match, without sorting the rest.
FlowPick pick_flows(const FlowSnapshot& snapshot, const FlowFilter& filter, FlowSort sort,
                    std::size_t limit);

}  // namespace orb8
