// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "core/model/flow.h"

namespace orb8 {

// One conjunction that the kernel evaluates per packet; an absent field matches everything. The
// address and the port match either side.
struct PacketFilter {
  std::optional<Prefix> prefix;
  std::optional<std::uint16_t> port;
  std::optional<std::uint8_t> protocol;
  std::optional<Direction> direction;

  bool matches(const FlowKey& key) const noexcept;
  bool operator==(const PacketFilter&) const = default;
};

}  // namespace orb8
