// Frames, written layer by layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orb8 {

// Each call appends a layer and returns the packet: Packet().ethernet(0x0800).ipv4(...).udp(...).
// Numbers are in host order; length fields and checksums are as a receiver of this probe needs
// them, which is not at all, but for those that say where the next header is.
class Packet {
 public:
  struct Ipv4 {
    std::string_view src = "10.0.0.1";
    std::string_view dst = "10.0.0.2";
    std::uint8_t protocol = 17;
    std::size_t option_bytes = 0;  // a multiple of 4
    std::uint16_t id = 1;
    bool more_fragments = false;
    std::uint16_t fragment_offset = 0;  // in units of 8 bytes
  };
  struct Ipv6 {
    std::string_view src = "fd00::1";
    std::string_view dst = "fd00::2";
    std::uint8_t next = 17;
  };

  Packet& ethernet(std::uint16_t type);
  Packet& vlan(std::uint16_t encapsulated_type, std::uint16_t id = 100);
  Packet& ipv4(const Ipv4& header);
  Packet& ipv6(const Ipv6& header);
  // Hop-by-hop, routing, destination options, ...: `units` of 8 bytes beyond the first.
  Packet& ipv6_extension(std::uint8_t next, std::uint8_t units = 0);
  Packet& ipv6_authentication(std::uint8_t next, std::uint8_t payload_length = 4);
  Packet& ipv6_fragment(std::uint8_t next, std::uint16_t offset_units, bool more, std::uint32_t id);
  Packet& tcp(std::uint16_t sport, std::uint16_t dport, std::uint8_t flags,
              std::size_t option_bytes = 0);
  Packet& udp(std::uint16_t sport, std::uint16_t dport);
  Packet& sctp(std::uint16_t sport, std::uint16_t dport);
  Packet& icmp(std::uint8_t type, std::uint8_t code);  // and ICMPv6
  Packet& gre(std::uint16_t encapsulated_type);
  Packet& arp();
  Packet& payload(std::size_t bytes);
  Packet& payload(std::span<const std::uint8_t> bytes);
  Packet& cut(std::size_t bytes);  // the packet ends after so many

  std::vector<std::uint8_t>& bytes() { return bytes_; }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  Packet& put(std::initializer_list<std::uint8_t> bytes);
  Packet& put16(std::uint16_t number);
  Packet& put32(std::uint32_t number);
  Packet& put_address(int family, std::string_view text);
  Packet& put_zeros(std::size_t count);

  std::vector<std::uint8_t> bytes_;
};

std::string hex(const std::vector<std::uint8_t>& bytes);

}  // namespace orb8
