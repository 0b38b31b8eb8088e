// IP addresses as values: one 16-byte form for both families.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orb8 {

// Network byte order; IPv4 is v4-mapped, ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
struct Addr {
  std::array<std::uint8_t, 16> bytes{};

  static constexpr Addr v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
  }
  // Of 16 bytes in network order, as they cross the kernel/user line.
  static Addr of(const std::uint8_t (&network_order)[16]) noexcept {
    Addr addr;
    std::ranges::copy(network_order, addr.bytes.begin());
    return addr;
  }
  bool is_v4() const noexcept;
  bool is_loopback() const noexcept;
  auto operator<=>(const Addr&) const = default;
};

// For addresses that nobody outside can choose so that they collide.
struct AddrHash {
  std::size_t operator()(const Addr& addr) const noexcept;
};

// "10.0.0.1", "2001:db8::1" (RFC 5952). A v4-mapped address prints as plain IPv4.
std::string to_string(const Addr& addr);
std::optional<Addr> parse_addr(std::string_view text);

// A CIDR block. `length` counts bits of the 16-byte form: an IPv4 /8 has length 104.
struct Prefix {
  Addr addr;  // host bits are zero
  std::uint8_t length = 0;

  bool contains(const Addr& other) const noexcept;
  bool operator==(const Prefix&) const = default;
};

// The first `length` bits of it, of 16 bytes; all others zero.
Addr masked(const Addr& addr, std::uint8_t length) noexcept;

// "10.0.0.0/8", "fd00::/8", or a single address. Host bits are cleared.
std::optional<Prefix> parse_prefix(std::string_view text);
std::string to_string(const Prefix& prefix);

}  // namespace orb8
