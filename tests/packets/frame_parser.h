// A frame's flow, as the RFCs have it: written to check the probes, and with nothing of theirs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "core/model/flow.h"

namespace orb8 {

enum class FrameVerdict : std::uint8_t {
  kFlow,
  kNotIp,
  kBroken,   // cut short inside a header, or a header of an impossible length, version or address
  kTooDeep,  // more VLAN tags (3) or IPv6 extension headers (7) than are followed
};

struct ParsedFrame {
  FrameVerdict verdict = FrameVerdict::kBroken;
  FlowKey key;  // without a direction; ports as in FlowKey: ICMP's are type and code
  std::uint8_t tcp_flags = 0;
  std::size_t header_bytes = 0;  // up to the payload of layer 4
  bool later_fragment = false;   // has ports only if the first fragment came before
};

// Remembers first fragments, so that later ones find their ports. The lengths that IP and UDP give
// themselves are not looked at, nor checksums: a frame counts as it is on the wire.
class FrameParser {
 public:
  // A frame that begins with its Ethernet header.
  ParsedFrame parse(std::span<const std::uint8_t> frame);
  // A packet without a link layer header, whose EtherType is known from elsewhere.
  ParsedFrame parse_bare(std::uint16_t type, std::span<const std::uint8_t> packet);
  void forget_fragments() { fragments_.clear(); }

 private:
  using Bytes = std::span<const std::uint8_t>;
  // Source, destination, identification; the protocol in IPv4 only (RFC 791, 3.2; RFC 8200, 4.5).
  using Datagram = std::tuple<Addr, Addr, std::uint32_t, std::uint8_t>;
  struct Fragment {
    Datagram of;
    bool first = true;
  };

  ParsedFrame parse_ipv4(Bytes frame, std::size_t at);
  ParsedFrame parse_ipv6(Bytes frame, std::size_t at);
  ParsedFrame parse_datagram(Bytes frame, std::size_t at, const FlowKey& key,
                             const std::optional<Fragment>& fragment);

  std::map<Datagram, FlowKey> fragments_;
};

}  // namespace orb8
