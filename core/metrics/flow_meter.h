// Counts what flows move, by who they belong to and whom they are with: bounded, and cheap for each
// record.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/metrics/meter_rows.h"
#include "core/metrics/owners_cache.h"

namespace orb8 {

// For one thread, but for what share() gives away.
//
// Each set of labels has a row, and rows show `max_series` series at most. Where there is no room
// for more, the row that was not used for longest makes some, unless it was used in the last
// minute: else rows would come and go with every record, and each be new series for who stores
// them. What has no row counts in `other`, of which there is one for each direction and protocol.
//
// A row that goes leaves to `other` what no share() has shown of it. What was shown ended with its
// series: so the increases of all series together are what moved, no more and no less.
class FlowMeter {
 public:
  struct Options {
    OwnLabels own;
    std::size_t max_series = 10'000;
    std::int64_t grace_ns = 300'000'000'000;  // rows of gone pods stay for so long
  };
  struct Moved {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t retransmits = 0;
  };
  // Whether the pod with this UID is no more, or has finished.
  using GoneFn = std::function<bool(const std::string& uid)>;
  static constexpr std::int64_t kMayFoldAfterNs = 60'000'000'000;

  explicit FlowMeter(Options options);
  FlowMeter(const FlowMeter&) = delete;
  FlowMeter& operator=(const FlowMeter&) = delete;
  ~FlowMeter() = default;

  // Before the records of a snapshot, or of a ring. `now_ns` is of any clock that never goes back,
  // `wall_ns` since the Unix epoch.
  void set_time(std::int64_t now_ns, std::int64_t wall_ns) {
    now_ns_ = now_ns;
    wall_ns_ = wall_ns;
  }

  // What a record of the flow told.
  void add(const Flow& flow, const Moved& moved);
  // A TCP connection is over; of its two flows this one is given.
  void add_connection(const Flow& flow);

  // Every few seconds: ends rows that have been silent for the grace period and whose pods are
  // gone, and lets go of owners.
  void expire(const GoneFn& gone);

  // The present state, for a reader of any thread. Costs a pointer for 32 rows; while somebody
  // holds them, a page is copied before it changes.
  std::shared_ptr<const MeterSnapshot> share();

  const OwnLabels& own() const noexcept { return options_.own; }
  std::size_t series() const noexcept { return series_; }      // without `other`
  std::uint64_t folded() const noexcept { return folded_; }    // series, since the start
  std::uint64_t expired() const noexcept { return expired_; }  // series, since the start

 private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = UINT32_MAX;
  static constexpr Slot kOthers = 2 * kMeterProtocols;  // the first slots are `other`

  // Of each slot, what only the writer needs.
  struct State {
    std::int64_t used_ns = 0;
    std::uint64_t shown_at = 0;  // the share() that `shown` is of
    Slot older = kNone;          // neighbours in the line of last use
    Slot newer = kNone;
    std::uint32_t serial = 0;  // of the row that is here
    Direction direction = Direction::kIngress;
    MeterProtocol protocol = MeterProtocol::kOther;
    std::uint8_t refused = 0;  // parts that there was no room for
    MeterCounters shown;
    std::string own_uid;  // of the pods that moved something last, as far as they are pods
    std::string peer_uid;
  };
  struct Page {
    std::shared_ptr<MeterPage> rows;
    std::unique_ptr<std::array<State, MeterPage::kRows>> states;
    std::uint64_t written = 0;  // share_count_ + 1 when it was copied: not shared since
  };

  const MeterRow& row(Slot slot) const;
  State& state(Slot slot);
  MeterCounters& counters(Slot slot);
  MeterRow& writable(Slot slot);
  void touch(Slot slot);

  Slot slot_of(const Flow& flow, Direction direction);
  Slot find_or_add(const Flow& flow, Direction direction);
  Slot other(Direction direction, MeterProtocol protocol);
  Slot with_part(Slot slot, MeterPart part, const Flow& flow, Direction direction);
  bool make_room(std::size_t series, Slot keep);
  Slot take_slot();
  void add_page();
  void end(Slot slot);
  void link_newest(Slot slot);
  void unlink(Slot slot);

  Options options_;
  std::vector<Page> pages_;
  std::vector<Slot> free_;
  std::unordered_map<std::string_view, Slot> index_;  // views of the rows' labels
  OwnersCache cache_;
  Slot oldest_ = kNone;
  Slot newest_ = kNone;
  std::int64_t now_ns_ = 0;
  std::int64_t wall_ns_ = 0;
  std::size_t series_ = 0;
  std::uint64_t folded_ = 0;
  std::uint64_t expired_ = 0;
  std::uint64_t share_count_ = 0;
  MeterSnapshot::Readers readers_;
};

}  // namespace orb8
