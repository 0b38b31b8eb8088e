// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/frames.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::uint16_t kEthernetV4 = 0x0800;
constexpr std::uint16_t kEthernetV6 = 0x86dd;
constexpr std::uint8_t kTtl = 64;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kExtension = 8;

constexpr std::size_t kSlotBytes = 2048;
constexpr std::size_t kSlots = 64;
constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kSlotHead = TPACKET2_HDRLEN - sizeof(sockaddr_ll);

void put16(Bytes& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8U));
  to.push_back(static_cast<std::uint8_t>(value));
}

void put_mac(Bytes& to, const Host& host) {
  unsigned mac[6] = {};
  std::sscanf(host.mac().c_str(), "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
              &mac[5]);
  for (const auto byte : mac) to.push_back(static_cast<std::uint8_t>(byte));
}

void put_v4(Bytes& to, const Ends& ends, std::size_t behind) {
  const auto start = to.size();
  to.insert(to.end(), {0x45, 0});
  put16(to, 20 + behind);
  to.insert(to.end(), {0, 0, 0, 0, kTtl, kUdp, 0, 0});
  to.insert(to.end(), ends.src.bytes.begin() + 12, ends.src.bytes.end());
  to.insert(to.end(), ends.dst.bytes.begin() + 12, ends.dst.bytes.end());
  std::uint32_t sum = 0;
  for (std::size_t i = start; i < to.size(); i += 2) sum += (to[i] << 8U) + to[i + 1];
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = ~(sum + (sum >> 16U));
  to[start + 10] = static_cast<std::uint8_t>(sum >> 8U);
  to[start + 11] = static_cast<std::uint8_t>(sum);
}

void put_v6(Bytes& to, const Ends& ends, std::size_t behind,
            const std::vector<std::uint8_t>& extensions) {
  to.insert(to.end(), {0x60, 0, 0, 0});
  put16(to, extensions.size() * kExtension + behind);
  to.push_back(extensions.empty() ? kUdp : extensions.front());
  to.push_back(kTtl);
  to.insert(to.end(), ends.src.bytes.begin(), ends.src.bytes.end());
  to.insert(to.end(), ends.dst.bytes.begin(), ends.dst.bytes.end());
  for (std::size_t i = 0; i < extensions.size(); ++i) {
    // Six bytes of padding: option PadN with four bytes of nothing (RFC 8200, 4.2).
    const std::uint8_t next = i + 1 < extensions.size() ? extensions[i + 1] : kUdp;
    to.insert(to.end(), {next, 0, 1, 4, 0, 0, 0, 0});
  }
}

UniqueFd packet_socket(const NetNs& ns, const std::string& interface) {
  const auto here = ns.enter();
  UniqueFd fd(must(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "open a packet socket"));
  sockaddr_ll at = {};
  at.sll_family = AF_PACKET;
  at.sll_ifindex = static_cast<int>(ifindex_of(ns, interface));
  must(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)), "bind");
  return fd;
}

}  // namespace

Bytes udp_frame_bytes(const Host& from, const Host& to, const Ends& ends, std::size_t payload,
                      const FrameOptions& options) {
  Bytes frame;
  put_mac(frame, to);
  put_mac(frame, from);
  for (const auto& tag : options.tags) {
    put16(frame, tag.type);
    put16(frame, tag.id);
  }
  const bool v4 = ends.src.is_v4();
  put16(frame, v4 ? kEthernetV4 : kEthernetV6);
  if (v4) {
    put_v4(frame, ends, kUdpHeader + payload);
  } else {
    put_v6(frame, ends, kUdpHeader + payload, options.extensions);
  }
  put16(frame, ends.src_port);
  put16(frame, ends.dst_port);
  put16(frame, kUdpHeader + payload);
  put16(frame, 0);  // no checksum
  frame.resize(frame.size() + payload, 'f');
  return frame;
}

FrameSender::FrameSender(const NetNs& ns, const std::string& interface)
    : fd_(packet_socket(ns, interface)) {}

void FrameSender::describe_offloads() {
  set_option(fd_.get(), SOL_PACKET, PACKET_VNET_HDR, 1);
}

void FrameSender::send(std::span<const std::uint8_t> frame, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    must(::send(fd_.get(), frame.data(), frame.size(), 0), "send a frame");
  }
}

RingSender::RingSender(const NetNs& ns, const std::string& interface)
    : fd_(packet_socket(ns, interface)) {
  set_option(fd_.get(), SOL_PACKET, PACKET_VERSION, TPACKET_V2);
  const tpacket_req shape = {.tp_block_size = kBlockBytes,
                             .tp_block_nr = kSlots * kSlotBytes / kBlockBytes,
                             .tp_frame_size = kSlotBytes,
                             .tp_frame_nr = kSlots};
  must(::setsockopt(fd_.get(), SOL_PACKET, PACKET_TX_RING, &shape, sizeof(shape)),
       "PACKET_TX_RING");
  void* const ring =
      ::mmap(nullptr, kSlots * kSlotBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (ring == MAP_FAILED) throw_errno("map a packet ring");
  ring_ = static_cast<std::uint8_t*>(ring);
}

RingSender::~RingSender() {
  ::munmap(ring_, kSlots * kSlotBytes);
}

std::uint8_t* RingSender::slot(std::size_t number) const {
  return ring_ + number * kSlotBytes;
}

void RingSender::send(std::span<const std::uint8_t> frame, std::size_t count) {
  if (frame.size() > kSlotBytes - kSlotHead) throw std::runtime_error("a frame is too long");
  for (std::size_t i = 0; i < count; ++i) {
    auto* const head = reinterpret_cast<tpacket2_hdr*>(slot(next_));
    const std::atomic_ref<std::uint32_t> status(head->tp_status);
    if (!eventually([&] { return status.load() == TP_STATUS_AVAILABLE; })) {
      throw std::runtime_error("a packet ring stands still");
    }
    std::memcpy(slot(next_) + kSlotHead, frame.data(), frame.size());
    head->tp_len = static_cast<std::uint32_t>(frame.size());
    status.store(TP_STATUS_SEND_REQUEST);
    must(::send(fd_.get(), nullptr, 0, 0), "send from a packet ring");
    next_ = (next_ + 1) % kSlots;
  }
}

}  // namespace orb8::netns
