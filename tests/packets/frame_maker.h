// Frames by chance: since their parts are drawn, it is known what a parser must find in them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/packets/frame_parser.h"
#include "tests/packets/packet.h"

namespace orb8 {

struct MadeFrame {
  Packet packet;
  std::uint16_t bare_type = 0;  // 0: begins with Ethernet's header; else the packet's EtherType
  ParsedFrame expected;  // a later fragment's ports are 0, as the first one is not known here
};

class FrameMaker {
 public:
  // Draws a number below n: from a seeded generator, or from a fuzzer's bytes.
  using BelowFn = std::function<std::uint32_t(std::uint32_t n)>;
  explicit FrameMaker(BelowFn below) : below_(std::move(below)) {}

  // A frame as the RFCs have it, of up to 3,000 bytes.
  MadeFrame make();

  // Cuts the packet somewhere behind its 14th byte, flips bits, overwrites bytes. A bare packet
  // keeps its 13th and 14th byte, which the kernel's test run takes for an EtherType.
  void mutilate(MadeFrame& made);

 private:
  bool one_in(std::uint32_t n) { return below_(n) == 0; }
  std::uint8_t any_byte() { return static_cast<std::uint8_t>(below_(256)); }
  std::uint16_t any_port() { return static_cast<std::uint16_t>(below_(65536)); }
  template <class Choices>
  auto any_of(const Choices& choices) {
    return choices[below_(static_cast<std::uint32_t>(std::size(choices)))];
  }

  void put_link_layer(MadeFrame& made, std::uint16_t type);
  void put_ipv4(MadeFrame& made, std::uint8_t transport);
  void put_ipv6(MadeFrame& made, std::uint8_t transport);
  void put_extension(MadeFrame& made, std::uint8_t type, std::uint8_t next);
  // Writes the header and notes what it says; a later fragment has payload in its place.
  void put_transport(MadeFrame& made, std::uint8_t transport);
  void put_ports(MadeFrame& made, std::uint8_t transport);
  void put_payload(MadeFrame& made);

  BelowFn below_;
};

}  // namespace orb8
