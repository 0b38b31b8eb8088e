// SPDX-License-Identifier: Apache-2.0
#include "core/model/addr.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace orb8 {
namespace {

constexpr std::size_t kMappedBytes = 12;
constexpr std::uint8_t kMappedBits = 8 * kMappedBytes;

std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

}  // namespace

bool Addr::is_v4() const noexcept {
  constexpr std::array<std::uint8_t, kMappedBytes> kMapped = {0, 0, 0, 0, 0,    0,
                                                              0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

bool Addr::is_loopback() const noexcept {
  if (is_v4()) return bytes[kMappedBytes] == 127;
  Addr v6_loopback;
  v6_loopback.bytes[15] = 1;
  return *this == v6_loopback;
}

std::size_t AddrHash::operator()(const Addr& addr) const noexcept {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), addr.bytes.data(), sizeof(halves));
  // The finalizer of MurmurHash3, once: addresses of one prefix differ in a few bits only.
  auto h = halves[0] * 0x9e3779b97f4a7c15ULL ^ halves[1];
  h = (h ^ (h >> 33U)) * 0xff51afd7ed558ccdULL;
  return h ^ (h >> 33U);
}

std::string to_string(const Addr& addr) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  const bool v4 = addr.is_v4();
  const void* from = v4 ? &addr.bytes[kMappedBytes] : addr.bytes.data();
  ::inet_ntop(v4 ? AF_INET : AF_INET6, from, text.data(), text.size());
  return text.data();
}

std::optional<Addr> parse_addr(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  Addr addr = Addr::v4(0, 0, 0, 0);
  if (::inet_pton(AF_INET, terminated.c_str(), &addr.bytes[kMappedBytes]) == 1) return addr;
  if (::inet_pton(AF_INET6, terminated.c_str(), addr.bytes.data()) == 1) return addr;
  return std::nullopt;
}

Addr masked(const Addr& addr, std::uint8_t length) noexcept {
  auto network = addr;
  for (std::size_t i = 0; i < network.bytes.size(); ++i) {
    const unsigned kept = std::clamp<int>(length - static_cast<int>(8 * i), 0, 8);
    network.bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return network;
}

bool Prefix::contains(const Addr& other) const noexcept {
  // IPv4 is v4-mapped here, but ::/0 still means IPv6: families do not contain each other.
  if (other.is_v4() != (addr.is_v4() && length >= kMappedBits)) return false;
  return masked(other, length) == addr;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const auto addr = parse_addr(text.substr(0, slash));
  if (!addr) return std::nullopt;
  const bool v4 = addr->is_v4() && text.find(':') == std::string_view::npos;
  const unsigned most = v4 ? 32 : 128;
  auto length = std::optional(most);
  if (slash != std::string_view::npos) length = parse_number(text.substr(slash + 1), most);
  if (!length) return std::nullopt;
  const auto bits = static_cast<std::uint8_t>(v4 ? *length + kMappedBits : *length);
  return Prefix{.addr = masked(*addr, bits), .length = bits};
}

std::string to_string(const Prefix& prefix) {
  const bool v4 = prefix.addr.is_v4() && prefix.length >= kMappedBits;
  return to_string(prefix.addr) + "/" +
         std::to_string(v4 ? prefix.length - kMappedBits : prefix.length);
}

}  // namespace orb8
