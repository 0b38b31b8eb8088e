// How a TCP connection fares, as far as its flow tells.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/model/flow.h"

namespace orb8 {

enum class Verdict : std::uint8_t { kEstablished, kFailed, kReset };

std::string_view to_string(Verdict verdict);  // "established", "failed", "reset"
std::optional<Verdict> parse_verdict(std::string_view text);

// A connection that was reset is one that failed, too. Of a flow that was counted by packets only
// its flags speak: established means that something was acknowledged and nothing reset, and that it
// failed is never known.
bool has_verdict(const Flow& flow, Verdict verdict);

}  // namespace orb8
