// The frames that a measurement sends: whole packets, link layer header first.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace orb8::bench {

using Frame = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;

// A TCP segment of an open connection (ACK, PSH), `bytes` long with its Ethernet header.
Frame tcp_v4_frame(std::size_t bytes);
Frame tcp_v6_frame(std::size_t bytes);

struct UdpEnds {
  std::uint32_t src_ip = 0;  // host order
  std::uint32_t dst_ip = 0;
  std::uint16_t src_port = 0;
  std::uint16_t dst_port = 0;
};

// A UDP datagram over IPv4, `bytes` long with its Ethernet header, without UDP checksum.
Frame udp_v4_frame(const Mac& src, const Mac& dst, const UdpEnds& ends, std::size_t bytes);

}  // namespace orb8::bench
