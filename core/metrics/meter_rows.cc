// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/meter_rows.h"

#include <algorithm>
#include <utility>

namespace orb8 {
namespace {

// From a hop inside a rack to one around the world.
constexpr std::array<double, kRttBuckets - 1> kRttBounds = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};
constexpr std::array<std::uint32_t, kRttBuckets - 1> kRttBoundsUs = {
    100,    250,    500,     1000,    2500,    5000,      10'000,
    25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000};

template <std::size_t n>
void add(std::array<std::uint64_t, n>& to, const std::array<std::uint64_t, n>& more) {
  std::ranges::transform(to, more, to.begin(), std::plus<>());
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kFailed:
      return "failed";
    case Outcome::kReset:
      return "reset";
    case Outcome::kEstablished:
      break;
  }
  return "established";
}

std::span<const double> rtt_bounds() {
  return kRttBounds;
}

std::size_t rtt_bucket(std::uint32_t rtt_us) noexcept {
  return static_cast<std::size_t>(std::ranges::lower_bound(kRttBoundsUs, rtt_us) -
                                  kRttBoundsUs.begin());
}

MeterCounters& MeterCounters::operator+=(const MeterCounters& more) noexcept {
  bytes += more.bytes;
  packets += more.packets;
  retransmits += more.retransmits;
  rtt_sum_us += more.rtt_sum_us;
  add(connections, more.connections);
  add(rtt, more.rtt);
  return *this;
}

MeterCounters MeterCounters::operator-(const MeterCounters& less) const noexcept {
  MeterCounters left = *this;
  left.bytes -= less.bytes;
  left.packets -= less.packets;
  left.retransmits -= less.retransmits;
  left.rtt_sum_us -= less.rtt_sum_us;
  std::ranges::transform(connections, less.connections, left.connections.begin(), std::minus<>());
  std::ranges::transform(rtt, less.rtt, left.rtt.begin(), std::minus<>());
  return left;
}

std::size_t series_of(std::uint8_t parts) noexcept {
  std::size_t series = 0;
  if ((parts & kPartTraffic) != 0) series += 3;
  if ((parts & kPartRetransmits) != 0) series += 1;
  if ((parts & kPartConnections) != 0) series += kOutcomes;
  if ((parts & kPartRtt) != 0) series += kRttBuckets + 2;  // with the sum and the count
  return series;
}

MeterSnapshot::MeterSnapshot(std::vector<std::shared_ptr<const MeterPage>> pages, Readers readers)
    : pages_(std::move(pages)), readers_(std::move(readers)) {
  ++*readers_;
}

MeterSnapshot::~MeterSnapshot() {
  pages_.clear();  // first: who sees no reader writes to the pages
  --*readers_;
}

void MeterSnapshot::for_each(const std::function<void(const MeterRow&)>& visit) const {
  for (const auto& page : pages_) {
    for (const auto& row : page->rows) {
      if (row.labels) visit(row);
    }
  }
}

}  // namespace orb8
