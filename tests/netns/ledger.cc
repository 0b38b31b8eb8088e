// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/ledger.h"

#include <ctime>

namespace orb8::netns {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kAnHour = 3600 * kNsPerSecond;

// Raw readings of the kernel's clocks are decades away.
bool is_about_now(std::int64_t ns) {
  const std::int64_t now = std::time(nullptr) * kNsPerSecond;
  return ns > now - kAnHour && ns < now + kAnHour;
}

}  // namespace

void Ledger::add(const FlowRecord& record) {
  auto& line = lines_[record.key];
  const Totals now = {record.packets, record.bytes};
  if (!is_about_now(record.first_seen_ns) || !is_about_now(record.last_seen_ns)) ++nonsense_;
  line.tcp_flags |= record.tcp_flags;
  line.ifindex = record.ifindex;
  line.cgroup_id = record.cgroup_id;
  if (record.incarnation == 0) {
    line.totals += now;
    return;
  }
  if (record.incarnation != line.incarnation) {
    line.incarnation = record.incarnation;
    line.seen = {};
    ++line.incarnations;
  }
  if (now.packets < line.seen.packets || now.bytes < line.seen.bytes) {
    ++nonsense_;
    return;
  }
  line.totals += {now.packets - line.seen.packets, now.bytes - line.seen.bytes};
  line.seen = now;
}

Totals Ledger::total() const {
  return where([](const FlowKey&) { return true; });
}

Totals Ledger::of(const FlowKey& key) const {
  const auto* found = line(key);
  return found ? found->totals : Totals{};
}

Totals Ledger::where(const Pick& pick) const {
  Totals sum;
  for (const auto& [key, line] : lines_) {
    if (pick(key)) sum += line.totals;
  }
  return sum;
}

const Ledger::Line* Ledger::line(const FlowKey& key) const {
  const auto found = lines_.find(key);
  return found == lines_.end() ? nullptr : &found->second;
}

std::vector<FlowKey> Ledger::keys() const {
  std::vector<FlowKey> keys;
  for (const auto& [key, line] : lines_) keys.push_back(key);
  return keys;
}

}  // namespace orb8::netns
