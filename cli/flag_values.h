// What each flag takes: said in errors, shown by --help, offered by completion.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/options.h"
#include "core/base/result.h"

namespace orb8 {

template <class T, std::size_t N>
using Words = std::array<std::pair<std::string_view, T>, N>;

inline constexpr Words<OutputFormat, 6> kOutputWords = {{{"compact", OutputFormat::kCompact},
                                                         {"table", OutputFormat::kTable},
                                                         {"wide", OutputFormat::kWide},
                                                         {"dict", OutputFormat::kDict},
                                                         {"json", OutputFormat::kJson},
                                                         {"jsonpb", OutputFormat::kJsonpb}}};
// Hubble's, and our own default.
inline constexpr Words<TimeFormat, 8> kTimeWords = {{{"Clock", TimeFormat::kClock},
                                                     {"DateTime", TimeFormat::kDateTime},
                                                     {"StampMilli", TimeFormat::kStampMilli},
                                                     {"RFC3339", TimeFormat::kRfc3339},
                                                     {"RFC3339Milli", TimeFormat::kRfc3339Milli},
                                                     {"RFC3339Micro", TimeFormat::kRfc3339Micro},
                                                     {"RFC3339Nano", TimeFormat::kRfc3339Nano},
                                                     {"RFC1123Z", TimeFormat::kRfc1123Z}}};
inline constexpr Words<ColorChoice, 3> kColorWords = {{{"auto", ColorChoice::kAuto},
                                                       {"always", ColorChoice::kAlways},
                                                       {"never", ColorChoice::kNever}}};
inline constexpr Words<v1::SortOrder, 5> kSortWords = {
    {{"bytes", v1::SORT_ORDER_BYTES},
     {"packets", v1::SORT_ORDER_PACKETS},
     {"last-seen", v1::SORT_ORDER_LAST_SEEN},
     {"rtt", v1::SORT_ORDER_RTT},
     {"retransmits", v1::SORT_ORDER_RETRANSMITS}}};
inline constexpr Words<v1::GroupBy, 12> kGroupByWords = {
    {{"pod", v1::GROUP_BY_POD},
     {"workload", v1::GROUP_BY_WORKLOAD},
     {"namespace", v1::GROUP_BY_NAMESPACE},
     {"service", v1::GROUP_BY_SERVICE},
     {"node", v1::GROUP_BY_NODE},
     {"port", v1::GROUP_BY_PORT},
     {"process", v1::GROUP_BY_PROCESS},
     {"peer-pod", v1::GROUP_BY_PEER_POD},
     {"peer-workload", v1::GROUP_BY_PEER_WORKLOAD},
     {"peer-namespace", v1::GROUP_BY_PEER_NAMESPACE},
     {"peer-node", v1::GROUP_BY_PEER_NODE},
     {"peer-ip", v1::GROUP_BY_PEER_IP}}};
inline constexpr Words<bool, 2> kModeWords = {{{"standalone", true}, {"cluster", false}}};
inline constexpr std::array<std::string_view, 3> kShells = {"bash", "zsh", "fish"};

struct FlagValues {
  std::string flag;                // "--sort"; "shell" for the argument of completion
  std::string allowed;             // in words: "one of bytes, packets, last-seen"
  std::vector<std::string> words;  // all there are, or good examples; empty: free text
};

// Null for a flag without a value.
const FlagValues* values_of(std::string_view flag);

// "FLAG: 'VALUE' is not allowed; it must be ...", and what may have been meant. `named` stands for
// the flag where the value came from elsewhere.
std::unexpected<Error> not_allowed(std::string_view flag, const std::string& value,
                                   const std::string& named = "");

}  // namespace orb8
