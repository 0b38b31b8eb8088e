// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/packet_orders.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstddef>

namespace orb8 {
namespace {

constexpr std::size_t kKernelFilters = 16;  // beyond these the kernel sends every packet
constexpr std::chrono::seconds kFirstWait{1};
constexpr std::chrono::seconds kLongestWait{60};

}  // namespace

void PacketOrders::follow(Clock::time_point now) {
  const auto generation = hub_.packet_generation();
  const bool is_new = generation != generation_;
  if (!is_new && (refusal_.empty() || now < next_try_)) return;
  generation_ = generation;
  const auto ok = source_.want_packets(hub_.packet_filters(kKernelFilters));
  if (ok) {
    refusal_.clear();
    return;
  }
  if (refusal_ != ok.error().what) spdlog::warn("{}", ok.error().what);
  refusal_ = ok.error().what;
  wait_ = is_new ? kFirstWait : std::min<Clock::duration>(2 * wait_, kLongestWait);
  next_try_ = now + wait_;
}

Component PacketOrders::component() const {
  return {.name = "packet-events", .healthy = refusal_.empty(), .reason = refusal_};
}

}  // namespace orb8
