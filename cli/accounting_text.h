// What became of the packets, in words: the losses that stand beside every answer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "orb8/v1/agent.pb.h"

namespace orb8 {

struct NamedTally {
  std::string_view name;
  const v1::Tally* tally;
};

// Every fate that a packet can have. Their sum is what was seen.
std::array<NamedTally, 8> tallies_of(const v1::Accounting& accounting);
v1::Tally seen_in(const v1::Accounting& accounting);

// "1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost"; what is zero is left out but
// for the lost.
std::string accounting_text(const v1::Accounting& accounting);

// What was added between two looks at the same agent; all of `end` when it restarted in between.
v1::Accounting difference(const v1::Accounting& end, const v1::Accounting& begin);

}  // namespace orb8
