// Frames byte by byte, for what no socket sends: VLAN tags, extension headers, odd fragments.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/netns/topology.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kVlan = 0x8100;         // 802.1Q
constexpr std::uint16_t kServiceVlan = 0x88a8;  // 802.1ad

// One tag, as it follows the MAC addresses.
struct VlanTag {
  std::uint16_t type = kVlan;
  std::uint16_t id = 1;
};

struct FrameOptions {
  std::vector<VlanTag> tags;
  std::vector<std::uint8_t> extensions;  // IPv6: their types; each is 8 bytes and says nothing
};

// A datagram between two hosts, whole: Ethernet, tags, IP, UDP, payload.
Bytes udp_frame_bytes(const Host& from, const Host& to, const Ends& ends, std::size_t payload,
                      const FrameOptions& options = {});

// Sends frames as they stand.
class FrameSender {
 public:
  FrameSender(const NetNs& ns, const std::string& interface);
  // From now on each frame stands behind a virtio_net_hdr that tells how it is to be cut.
  void describe_offloads();
  void send(std::span<const std::uint8_t> frame, std::size_t count = 1);

 private:
  UniqueFd fd_;
};

// Sends frames whose linear area is the Ethernet header alone: what is behind it stays in the pages
// of a ring that this shares with the kernel (PACKET_TX_RING).
class RingSender {
 public:
  RingSender(const NetNs& ns, const std::string& interface);
  ~RingSender();
  RingSender(const RingSender&) = delete;
  RingSender& operator=(const RingSender&) = delete;
  void send(std::span<const std::uint8_t> frame, std::size_t count = 1);

 private:
  std::uint8_t* slot(std::size_t number) const;
  UniqueFd fd_;
  std::uint8_t* ring_ = nullptr;
  std::size_t next_ = 0;
};

}  // namespace orb8::netns
