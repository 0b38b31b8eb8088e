// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/packet.h"

#include <arpa/inet.h>

#include <array>
#include <cstdio>

namespace orb8 {

Packet& Packet::put(std::initializer_list<std::uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes);
  return *this;
}

Packet& Packet::put16(std::uint16_t number) {
  return put({static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)});
}

Packet& Packet::put32(std::uint32_t number) {
  return put16(static_cast<std::uint16_t>(number >> 16U)).put16(static_cast<std::uint16_t>(number));
}

Packet& Packet::put_zeros(std::size_t count) {
  bytes_.resize(bytes_.size() + count);
  return *this;
}

Packet& Packet::put_address(int family, std::string_view text) {
  std::array<std::uint8_t, 16> address = {};
  ::inet_pton(family, std::string(text).c_str(), address.data());
  bytes_.insert(bytes_.end(), address.begin(), address.begin() + (family == AF_INET ? 4 : 16));
  return *this;
}

Packet& Packet::ethernet(std::uint16_t type) {
  return put({2, 0, 0, 0, 0, 2}).put({2, 0, 0, 0, 0, 1}).put16(type);
}

Packet& Packet::vlan(std::uint16_t encapsulated_type, std::uint16_t id) {
  return put16(id).put16(encapsulated_type);
}

Packet& Packet::ipv4(const Ipv4& header) {
  const auto words = static_cast<std::uint8_t>(5 + header.option_bytes / 4);
  put({static_cast<std::uint8_t>(0x40U | words), 0}).put16(0).put16(header.id);
  put16(
      static_cast<std::uint16_t>((header.more_fragments ? 0x2000U : 0U) | header.fragment_offset));
  put({64, header.protocol}).put16(0);
  put_address(AF_INET, header.src).put_address(AF_INET, header.dst);
  return put_zeros(header.option_bytes);
}

Packet& Packet::ipv6(const Ipv6& header) {
  put32(0x60000000).put16(0).put({header.next, 64});
  return put_address(AF_INET6, header.src).put_address(AF_INET6, header.dst);
}

Packet& Packet::ipv6_extension(std::uint8_t next, std::uint8_t units) {
  return put({next, units}).put_zeros(6 + 8 * static_cast<std::size_t>(units));
}

Packet& Packet::ipv6_authentication(std::uint8_t next, std::uint8_t payload_length) {
  return put({next, payload_length}).put_zeros((payload_length + 2U) * 4 - 2);
}

Packet& Packet::ipv6_fragment(std::uint8_t next, std::uint16_t offset_units, bool more,
                              std::uint32_t id) {
  return put({next, 0})
      .put16(static_cast<std::uint16_t>(offset_units << 3U | (more ? 1U : 0U)))
      .put32(id);
}

Packet& Packet::tcp(std::uint16_t sport, std::uint16_t dport, std::uint8_t flags,
                    std::size_t option_bytes) {
  const auto words = static_cast<std::uint8_t>(5 + option_bytes / 4);
  put16(sport).put16(dport).put32(1).put32(2);
  return put({static_cast<std::uint8_t>(words << 4U), flags}).put_zeros(6 + option_bytes);
}

Packet& Packet::udp(std::uint16_t sport, std::uint16_t dport) {
  return put16(sport).put16(dport).put32(0);
}

Packet& Packet::sctp(std::uint16_t sport, std::uint16_t dport) {
  return put16(sport).put16(dport).put32(7).put32(0);
}

Packet& Packet::icmp(std::uint8_t type, std::uint8_t code) {
  return put({type, code}).put_zeros(6);
}

Packet& Packet::gre(std::uint16_t encapsulated_type) {
  return put16(0).put16(encapsulated_type);
}

Packet& Packet::arp() {
  // Who has 0.0.0.0: Ethernet and IPv4 addresses, a request (RFC 826).
  return put16(1).put16(0x0800).put({6, 4}).put16(1).put_zeros(20);
}

Packet& Packet::payload(std::size_t bytes) {
  return put_zeros(bytes);
}

Packet& Packet::payload(std::span<const std::uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Packet& Packet::cut(std::size_t bytes) {
  bytes_.resize(std::min(bytes, bytes_.size()));
  return *this;
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const auto byte : bytes) {
    std::array<char, 3> two = {};
    std::snprintf(two.data(), two.size(), "%02x", byte);
    text += two.data();
  }
  return text;
}

}  // namespace orb8
