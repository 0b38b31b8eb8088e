// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "core/model/flow.h"

namespace orb8 {

// Which end of a flow a condition is about.
enum class Side : std::uint8_t { kEither, kSource, kDestination };

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // of the range, too

  bool contains(std::uint16_t port) const noexcept { return first <= port && port <= last; }
  bool operator==(const PortRange&) const = default;
};

// "443" or "8000-8999"; absent for anything else, and where the last is before the first.
std::optional<PortRange> parse_port_range(std::string_view text);
std::string to_string(const PortRange& range);

enum class IpVersion : std::uint8_t { kV4 = 4, kV6 = 6 };

inline IpVersion ip_version(const FlowKey& key) noexcept {
  return key.src.is_v4() ? IpVersion::kV4 : IpVersion::kV6;
}

// One conjunction that the kernel evaluates per packet; an absent field matches everything. A
// prefix is of one version already, so that both together say nothing more.
struct PacketFilter {
  std::optional<Prefix> prefix;
  Side prefix_side = Side::kEither;
  std::optional<PortRange> ports;  // no port of ICMP, which has none, is in any
  Side port_side = Side::kEither;
  std::optional<std::uint8_t> protocol;
  std::optional<Direction> direction;
  std::optional<IpVersion> version;

  bool matches(const FlowKey& key) const noexcept;
  bool operator==(const PacketFilter&) const = default;
};

}  // namespace orb8
