// SPDX-License-Identifier: Apache-2.0
#include "core/model/packet_filter.h"

#include <charconv>
#include <string>

namespace orb8 {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool holds_of(Side side, bool source, bool destination) {
  return side == Side::kSource        ? source
         : side == Side::kDestination ? destination
                                      : source || destination;
}

}  // namespace

std::optional<PortRange> parse_port_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return PortRange{.first = *first, .last = *first};
  const auto last = parse_port(text.substr(dash + 1));
  if (!last || *last < *first) return std::nullopt;
  return PortRange{.first = *first, .last = *last};
}

std::string to_string(const PortRange& range) {
  const auto first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

bool PacketFilter::matches(const FlowKey& key) const noexcept {
  if (prefix && !holds_of(prefix_side, prefix->contains(key.src), prefix->contains(key.dst))) {
    return false;
  }
  // ICMP keeps its type and code where others have ports: no port matches them.
  if (ports && is_icmp(key.protocol)) return false;
  if (ports && !holds_of(port_side, ports->contains(key.src_port), ports->contains(key.dst_port))) {
    return false;
  }
  if (protocol && *protocol != key.protocol) return false;
  if (version && *version != ip_version(key)) return false;
  return !direction || *direction == key.direction;
}

}  // namespace orb8
