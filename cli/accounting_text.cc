// SPDX-License-Identifier: Apache-2.0
#include "cli/accounting_text.h"

#include "cli/format.h"

namespace orb8 {
namespace {

constexpr std::string_view kLost = "lost";

void subtract(const v1::Tally& begin, v1::Tally& end) {
  end.set_packets(end.packets() - begin.packets());
  end.set_bytes(end.bytes() - begin.bytes());
}

// Counters of one agent only grow.
bool is_earlier(const v1::Accounting& begin, const v1::Accounting& end) {
  const auto before = tallies_of(begin);
  const auto after = tallies_of(end);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before.at(i).tally->packets() > after.at(i).tally->packets()) return false;
    if (before.at(i).tally->bytes() > after.at(i).tally->bytes()) return false;
  }
  return begin.packet_events() <= end.packet_events() &&
         begin.packet_events_lost() <= end.packet_events_lost();
}

}  // namespace

std::array<NamedTally, 8> tallies_of(const v1::Accounting& accounting) {
  return {{{"counted", &accounting.counted()},
           {"spilled", &accounting.spilled()},
           {"duplicate", &accounting.duplicate()},
           {"own", &accounting.own()},
           {"not IP", &accounting.not_ip()},
           {"truncated", &accounting.truncated()},
           {"unparsed", &accounting.unparsed()},
           {kLost, &accounting.lost()}}};
}

v1::Tally seen_in(const v1::Accounting& accounting) {
  v1::Tally seen;
  for (const auto& [name, tally] : tallies_of(accounting)) {
    seen.set_packets(seen.packets() + tally->packets());
    seen.set_bytes(seen.bytes() + tally->bytes());
  }
  return seen;
}

std::string accounting_text(const v1::Accounting& accounting) {
  std::string text = count_of(seen_in(accounting).packets(), "packet") + " seen: ";
  for (const auto& [name, tally] : tallies_of(accounting)) {
    if (tally->packets() == 0 && name != kLost) continue;
    text += human_count(tally->packets()) + " " + std::string(name) + (name == kLost ? "" : ", ");
  }
  return text;
}

v1::Accounting difference(const v1::Accounting& end, const v1::Accounting& begin) {
  if (!is_earlier(begin, end)) return end;
  auto moved = end;
  subtract(begin.counted(), *moved.mutable_counted());
  subtract(begin.spilled(), *moved.mutable_spilled());
  subtract(begin.duplicate(), *moved.mutable_duplicate());
  subtract(begin.own(), *moved.mutable_own());
  subtract(begin.not_ip(), *moved.mutable_not_ip());
  subtract(begin.truncated(), *moved.mutable_truncated());
  subtract(begin.unparsed(), *moved.mutable_unparsed());
  subtract(begin.lost(), *moved.mutable_lost());
  moved.set_packet_events(end.packet_events() - begin.packet_events());
  moved.set_packet_events_lost(end.packet_events_lost() - begin.packet_events_lost());
  return moved;
}

}  // namespace orb8
