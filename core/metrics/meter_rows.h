// What was counted under each set of labels, in pages that the meter and its readers share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/metrics/flow_labels.h"

namespace orb8 {

// How a connection ended. Failed: it was never established, or an error other than a reset broke
// it.
enum class Outcome : std::uint8_t { kEstablished, kFailed, kReset };
constexpr std::size_t kOutcomes = 3;
std::string_view to_string(Outcome outcome);

// Upper bounds of the round-trip times' buckets, in seconds; one more bucket is beyond them.
std::span<const double> rtt_bounds();
constexpr std::size_t kRttBuckets = 15;
std::size_t rtt_bucket(std::uint32_t rtt_us) noexcept;

struct MeterCounters {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t retransmits = 0;
  std::uint64_t rtt_sum_us = 0;
  std::array<std::uint64_t, kOutcomes> connections{};
  std::array<std::uint64_t, kRttBuckets> rtt{};

  MeterCounters& operator+=(const MeterCounters& more) noexcept;
  MeterCounters operator-(const MeterCounters& less) const noexcept;
};

// What of a set of labels is shown. A part appears when it is first needed, since each costs
// series.
enum MeterPart : std::uint8_t {
  kPartTraffic = 1,      // bytes, packets, active flows
  kPartRetransmits = 2,  // of what is sent by TCP
  kPartConnections = 4,
  kPartRtt = 8,
};
// How many series the parts are.
std::size_t series_of(std::uint8_t parts) noexcept;

struct MeterRow {
  std::shared_ptr<const LabelSet> labels;  // null: no such row
  std::int64_t start_ns = 0;               // Unix epoch
  MeterCounters counters;
  std::uint8_t parts = 0;  // MeterPart
};

struct MeterPage {
  static constexpr std::size_t kRows = 32;
  std::array<MeterRow, kRows> rows;
};

// All rows as they were at one moment. For any thread, for as long as it is held.
class MeterSnapshot {
 public:
  using Readers = std::shared_ptr<std::atomic<std::uint32_t>>;

  MeterSnapshot(std::vector<std::shared_ptr<const MeterPage>> pages, Readers readers);
  MeterSnapshot(const MeterSnapshot&) = delete;
  MeterSnapshot& operator=(const MeterSnapshot&) = delete;
  ~MeterSnapshot();

  void for_each(const std::function<void(const MeterRow&)>& visit) const;

 private:
  std::vector<std::shared_ptr<const MeterPage>> pages_;
  Readers readers_;  // how many snapshots are alive
};

}  // namespace orb8
