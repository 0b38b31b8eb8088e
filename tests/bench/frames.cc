// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/frames.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>

#include <cstring>
#include <utility>

namespace orb8::bench {
namespace {

constexpr std::uint8_t kHopLimit = 64;
constexpr std::uint32_t kClient = 0x0a000001;  // 10.0.0.1
constexpr std::uint32_t kServer = 0x0a000002;
constexpr Mac kClientMac = {0x02, 0, 0, 0, 0, 1};
constexpr Mac kServerMac = {0x02, 0, 0, 0, 0, 2};

// Headers are laid down one behind the other; what remains of the frame stays zero.
class FrameWriter {
 public:
  explicit FrameWriter(std::size_t bytes) : frame_(bytes) {}

  template <class Header>
  void put(const Header& header) {
    std::memcpy(&frame_.at(at_ + sizeof(header) - 1) - (sizeof(header) - 1), &header,
                sizeof(header));
    at_ += sizeof(header);
  }
  std::uint16_t left() const { return static_cast<std::uint16_t>(frame_.size() - at_); }
  Frame take() && { return std::move(frame_); }

 private:
  Frame frame_;
  std::size_t at_ = 0;
};

ethhdr ethernet(const Mac& src, const Mac& dst, std::uint16_t type) {
  ethhdr header = {};
  std::memcpy(header.h_source, src.data(), src.size());
  std::memcpy(header.h_dest, dst.data(), dst.size());
  header.h_proto = htons(type);
  return header;
}

std::uint16_t checksum(const void* data, std::size_t bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes; i += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, static_cast<const std::uint8_t*>(data) + i, sizeof(word));
    sum += word;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

iphdr ipv4(std::uint32_t src, std::uint32_t dst, std::uint8_t protocol, std::uint16_t bytes) {
  iphdr header = {};
  header.version = 4;
  header.ihl = sizeof(header) / 4;
  header.ttl = kHopLimit;
  header.protocol = protocol;
  header.tot_len = htons(bytes);
  header.saddr = htonl(src);
  header.daddr = htonl(dst);
  header.check = checksum(&header, sizeof(header));
  return header;
}

tcphdr tcp() {
  tcphdr header = {};
  header.source = htons(40000);
  header.dest = htons(443);
  header.doff = sizeof(header) / 4;
  header.ack = 1;
  header.psh = 1;
  return header;
}

}  // namespace

Frame tcp_v4_frame(std::size_t bytes) {
  FrameWriter out(bytes);
  out.put(ethernet(kClientMac, kServerMac, ETH_P_IP));
  out.put(ipv4(kClient, kServer, IPPROTO_TCP, out.left()));
  out.put(tcp());
  return std::move(out).take();
}

Frame tcp_v6_frame(std::size_t bytes) {
  FrameWriter out(bytes);
  out.put(ethernet(kClientMac, kServerMac, ETH_P_IPV6));
  ipv6hdr header = {};
  header.version = 6;
  header.nexthdr = IPPROTO_TCP;
  header.hop_limit = kHopLimit;
  header.payload_len = htons(static_cast<std::uint16_t>(out.left() - sizeof(header)));
  header.saddr.s6_addr[0] = header.daddr.s6_addr[0] = 0xfd;
  header.saddr.s6_addr[15] = 1;
  header.daddr.s6_addr[15] = 2;
  out.put(header);
  out.put(tcp());
  return std::move(out).take();
}

Frame udp_v4_frame(const Mac& src, const Mac& dst, const UdpEnds& ends, std::size_t bytes) {
  FrameWriter out(bytes);
  out.put(ethernet(src, dst, ETH_P_IP));
  out.put(ipv4(ends.src_ip, ends.dst_ip, IPPROTO_UDP, out.left()));
  udphdr header = {};
  header.source = htons(ends.src_port);
  header.dest = htons(ends.dst_port);
  header.len = htons(out.left());
  out.put(header);
  return std::move(out).take();
}

}  // namespace orb8::bench
