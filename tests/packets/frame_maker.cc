// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/frame_maker.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace orb8 {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::size_t kEthernetBytes = 14;
constexpr std::uint32_t kMostTags = 3;      // that are followed
constexpr std::size_t kMostExtensions = 7;  // likewise
constexpr std::uint32_t kDatagrams = 40;    // so few that fragments meet
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kDccp = 33;
constexpr std::uint8_t kGre = 47;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kNoNext = 59;
constexpr std::uint8_t kSctp = 132;
constexpr std::uint8_t kUdpLite = 136;

constexpr std::array kTransports = {kTcp,    kTcp, kUdp,  kUdp,     kSctp,  kIcmp,
                                    kIcmpv6, kGre, kDccp, kUdpLite, kNoNext};
constexpr std::array<std::uint8_t, 6> kExtensions = {0, 43, 60, 135, 139, 140};
constexpr std::array<std::uint16_t, 6> kOtherTypes = {0x0806, 0x0000, 0x05dc,
                                                      0x8847, 0x9100, 0xffff};
constexpr std::array<std::uint16_t, 2> kTagTypes = {0x8100, 0x88a8};

constexpr std::array<std::string_view, 5> kV4 = {"10.0.0.1", "192.168.200.100", "0.0.0.0",
                                                 "255.255.255.255", "127.0.0.1"};
constexpr std::array<std::string_view, 5> kV6 = {"fd00::1", "::1", "::ffff:0:10.0.0.1", "ff02::1",
                                                 "2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa"};
// Their 13th and 14th byte in the packet are the EtherType: see FrameMaker::mutilate().
constexpr std::array<std::string_view, 2> kBareV4 = {"8.0.0.1", "8.0.255.254"};
constexpr std::array<std::string_view, 2> kBareV6 = {"fd00:0:86dd::1", "0:0:86dd:1::2"};

Addr to_addr(std::string_view text) {
  return parse_addr(text).value_or(Addr{});
}

}  // namespace

MadeFrame FrameMaker::make() {
  MadeFrame made;
  made.expected.verdict = FrameVerdict::kFlow;
  const std::uint16_t type = one_in(2) ? kIpv4 : kIpv6;
  if (one_in(5)) {
    made.bare_type = type;
  } else if (one_in(30)) {
    made.expected.verdict = FrameVerdict::kNotIp;
    put_link_layer(made, any_of(kOtherTypes));
    put_payload(made);
    return made;
  } else {
    put_link_layer(made, type);
  }
  const auto transport = any_of(kTransports);
  if (type == kIpv4) {
    put_ipv4(made, transport);
  } else {
    put_ipv6(made, transport);
  }
  put_payload(made);
  return made;
}

void FrameMaker::put_link_layer(MadeFrame& made, std::uint16_t type) {
  const auto tags = one_in(3) ? below_(6) : 0;
  made.packet.ethernet(tags == 0 ? type : any_of(kTagTypes));
  for (auto left = tags; left > 0; --left) {
    made.packet.vlan(left == 1 ? type : any_of(kTagTypes), any_port());
  }
  if (tags > kMostTags) made.expected.verdict = FrameVerdict::kTooDeep;
}

void FrameMaker::put_ipv4(MadeFrame& made, std::uint8_t transport) {
  const auto src = made.bare_type != 0 ? any_of(kBareV4) : any_of(kV4);
  const auto dst = any_of(kV4);
  const bool fragment = one_in(4);
  const auto offset = static_cast<std::uint16_t>(fragment && one_in(2) ? 1 + below_(0x1fff) : 0);
  made.packet.ipv4({.src = src,
                    .dst = dst,
                    .protocol = transport,
                    .option_bytes = one_in(3) ? std::size_t{4} * below_(11) : 0,
                    .id = static_cast<std::uint16_t>(below_(kDatagrams)),
                    .more_fragments = fragment && (offset == 0 || one_in(2)),
                    .fragment_offset = offset});
  made.expected.key = {.src = to_addr(src), .dst = to_addr(dst), .protocol = transport};
  made.expected.later_fragment = offset != 0;
  put_transport(made, transport);
}

void FrameMaker::put_ipv6(MadeFrame& made, std::uint8_t transport) {
  const auto src = made.bare_type != 0 ? any_of(kBareV6) : any_of(kV6);
  const auto dst = any_of(kV6);
  std::vector<std::uint8_t> chain(one_in(2) ? below_(10) : 0);
  for (auto& type : chain) type = one_in(5) ? kAuthentication : any_of(kExtensions);
  if (one_in(4)) {
    const auto at = below_(static_cast<std::uint32_t>(chain.size()) + 1);
    chain.insert(chain.begin() + at, kFragment);
  }
  made.packet.ipv6({.src = src, .dst = dst, .next = chain.empty() ? transport : chain.front()});
  made.expected.key = {.src = to_addr(src), .dst = to_addr(dst), .protocol = transport};
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const auto next = i + 1 < chain.size() ? chain[i + 1] : transport;
    put_extension(made, chain[i], next);
    if (i >= kMostExtensions) made.expected.verdict = FrameVerdict::kTooDeep;
    if (made.expected.later_fragment) {
      // What follows is the middle of a datagram; its protocol is all that is known of it.
      made.expected.key.protocol = next;
      break;
    }
  }
  put_transport(made, transport);
}

void FrameMaker::put_extension(MadeFrame& made, std::uint8_t type, std::uint8_t next) {
  if (type == kFragment) {
    const auto offset = static_cast<std::uint16_t>(one_in(2) ? 0 : 1 + below_(0x1fff));
    made.packet.ipv6_fragment(next, offset, one_in(2), below_(kDatagrams));
    made.expected.later_fragment = offset != 0;
  } else if (type == kAuthentication) {
    made.packet.ipv6_authentication(next, static_cast<std::uint8_t>(1 + below_(8)));
  } else {
    const bool long_one = made.packet.size() < 300 && one_in(20);
    const auto units = long_one ? below_(256) : one_in(3) ? below_(6) : 0;
    made.packet.ipv6_extension(next, static_cast<std::uint8_t>(units));
  }
}

void FrameMaker::put_transport(MadeFrame& made, std::uint8_t transport) {
  auto& expected = made.expected;
  expected.header_bytes = made.packet.size();
  if (!expected.later_fragment) put_ports(made, transport);
  if (expected.verdict != FrameVerdict::kFlow) expected = {.verdict = expected.verdict};
}

void FrameMaker::put_ports(MadeFrame& made, std::uint8_t transport) {
  auto& [packet, bare_type, expected] = made;
  if (transport == kIcmp || transport == kIcmpv6) {
    expected.key.src_port = any_byte();
    expected.key.dst_port = any_byte();
    packet.icmp(static_cast<std::uint8_t>(expected.key.src_port),
                static_cast<std::uint8_t>(expected.key.dst_port));
    return;
  }
  if (transport == kGre) packet.gre(kIpv4);
  if (transport == kGre || transport == kNoNext) return;

  expected.key.src_port = any_port();
  expected.key.dst_port = any_port();
  if (transport == kTcp) {
    expected.tcp_flags = any_byte();
    packet.tcp(expected.key.src_port, expected.key.dst_port, expected.tcp_flags,
               std::size_t{4} * below_(11));
  } else if (transport == kSctp || transport == kDccp) {  // both have ports first, 12 bytes in all
    packet.sctp(expected.key.src_port, expected.key.dst_port);
  } else {
    packet.udp(expected.key.src_port, expected.key.dst_port);
  }
  expected.header_bytes = packet.size();
}

void FrameMaker::put_payload(MadeFrame& made) {
  std::vector<std::uint8_t> payload(one_in(10) ? below_(600) : below_(40));
  for (auto& byte : payload) byte = any_byte();
  made.packet.payload(payload);
}

void FrameMaker::mutilate(MadeFrame& made) {
  auto& bytes = made.packet.bytes();
  const auto size = [&] { return static_cast<std::uint32_t>(bytes.size()); };
  if (one_in(2) && size() > kEthernetBytes) {
    // Most often within the headers.
    const auto most = one_in(4) ? size() : std::min(size(), std::uint32_t{100});
    made.packet.cut(kEthernetBytes + below_(most - kEthernetBytes));
  }
  for (auto times = below_(5); times > 0; --times) {
    const auto at = below_(one_in(2) ? size() : std::min(size(), std::uint32_t{80}));
    if (made.bare_type != 0 && (at == 12 || at == 13)) continue;
    bytes[at] = one_in(3) ? any_byte() : bytes[at] ^ static_cast<std::uint8_t>(1U << below_(8));
  }
}

}  // namespace orb8
