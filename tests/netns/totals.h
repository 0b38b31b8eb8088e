// Packets and bytes, and waiting until they are what they should be.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <ostream>

#include "core/base/eventually.h"

namespace orb8::netns {

struct Totals {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  auto operator<=>(const Totals&) const = default;
  Totals& operator+=(const Totals& more) {
    packets += more.packets;
    bytes += more.bytes;
    return *this;
  }
  friend Totals operator+(Totals a, const Totals& b) { return a += b; }
  friend Totals operator*(const Totals& one, std::uint64_t times) {
    return {one.packets * times, one.bytes * times};
  }
  friend std::ostream& operator<<(std::ostream& out, const Totals& totals) {
    return out << totals.packets << " packets, " << totals.bytes << " bytes";
  }
};

constexpr auto kDeadline = std::chrono::seconds(20);

// What `get` says once it is `wanted`, or at the deadline: for EXPECT_EQ.
template <class Get, class Value>
Value settled(const Get& get, const Value& wanted) {
  Value got = get();
  eventually([&] { return (got = get()) == wanted; });
  return got;
}

}  // namespace orb8::netns
