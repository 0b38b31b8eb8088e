// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/frame_parser.h"

#include <algorithm>
#include <set>

namespace orb8 {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMacBytes = 12;
constexpr unsigned kMostTags = 3;
constexpr unsigned kMostExtensions = 7;

constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint16_t kTypeIpv6 = 0x86dd;
constexpr std::uint16_t kTypeVlan = 0x8100;         // IEEE 802.1Q
constexpr std::uint16_t kTypeServiceVlan = 0x88a8;  // IEEE 802.1ad

// IANA protocol numbers.
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kDccp = 33;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kSctp = 132;
constexpr std::uint8_t kUdpLite = 136;

// RFC 8200, 4; RFC 6275 (mobility), RFC 7401 (HIP), RFC 5533 (shim6).
const std::set<std::uint8_t> kExtensions = {0,   43, kFragmentHeader, kAuthentication, 60, 135,
                                            139, 140};

bool has(Bytes frame, std::size_t at, std::size_t count) {
  return frame.size() >= at + count;
}

std::uint16_t read16(Bytes frame, std::size_t at) {
  return static_cast<std::uint16_t>(frame[at] << 8U | frame[at + 1]);
}

std::uint32_t read32(Bytes frame, std::size_t at) {
  return static_cast<std::uint32_t>(read16(frame, at)) << 16U | read16(frame, at + 2);
}

Addr read_addr(Bytes frame, std::size_t at, std::size_t count) {
  Addr addr = count == 4 ? Addr::v4(0, 0, 0, 0) : Addr{};
  std::ranges::copy(frame.subspan(at, count),
                    addr.bytes.end() - static_cast<std::ptrdiff_t>(count));
  return addr;
}

// The layer 4 header of a datagram that is whole, or of its first fragment.
ParsedFrame parse_transport(Bytes frame, std::size_t at, const FlowKey& key) {
  ParsedFrame parsed{.verdict = FrameVerdict::kFlow, .key = key, .header_bytes = at};
  std::size_t needed = 4;  // the ports
  switch (key.protocol) {
    case kTcp:
      needed = 14;  // up to the flags
      break;
    case kUdp:
    case kUdpLite:
      parsed.header_bytes += 8;
      break;
    case kDccp:
    case kSctp:
      parsed.header_bytes += 12;
      break;
    case kIcmp:
    case kIcmpv6:
      if (!has(frame, at, 2)) return {};
      parsed.key.src_port = frame[at];
      parsed.key.dst_port = frame[at + 1];
      return parsed;
    default:
      return parsed;
  }
  if (!has(frame, at, needed)) return {};
  parsed.key.src_port = read16(frame, at);
  parsed.key.dst_port = read16(frame, at + 2);
  if (key.protocol == kTcp) {
    parsed.tcp_flags = frame[at + 13];
    parsed.header_bytes += std::size_t{4} * (frame[at + 12] >> 4U);
  }
  return parsed;
}

}  // namespace

ParsedFrame FrameParser::parse(Bytes frame) {
  std::size_t at = kMacBytes;
  for (unsigned tags = 0; has(frame, at, 2); ++tags) {
    const auto type = read16(frame, at);
    at += 2;
    if (type == kTypeIpv4) return parse_ipv4(frame, at);
    if (type == kTypeIpv6) return parse_ipv6(frame, at);
    if (type != kTypeVlan && type != kTypeServiceVlan) return {.verdict = FrameVerdict::kNotIp};
    if (tags == kMostTags) return {.verdict = FrameVerdict::kTooDeep};
    at += 2;  // the tag's identifier
  }
  return {};
}

ParsedFrame FrameParser::parse_bare(std::uint16_t type, Bytes packet) {
  if (type == kTypeIpv4) return parse_ipv4(packet, 0);
  if (type == kTypeIpv6) return parse_ipv6(packet, 0);
  return {.verdict = FrameVerdict::kNotIp};
}

ParsedFrame FrameParser::parse_ipv4(Bytes frame, std::size_t at) {
  if (!has(frame, at, 20) || frame[at] >> 4U != 4) return {};
  const auto header = std::size_t{4} * (frame[at] & 0xfU);
  if (header < 20 || !has(frame, at, header)) return {};
  FlowKey key;
  key.protocol = frame[at + 9];
  key.src = read_addr(frame, at + 12, 4);
  key.dst = read_addr(frame, at + 16, 4);
  std::optional<Fragment> fragment;
  const unsigned word = read16(frame, at + 6);
  const bool more = (word & 0x2000U) != 0;
  const unsigned offset = word & 0x1fffU;
  if (more || offset != 0) {
    fragment = Fragment{.of = {key.src, key.dst, read16(frame, at + 4), key.protocol},
                        .first = offset == 0};
  }
  return parse_datagram(frame, at + header, key, fragment);
}

ParsedFrame FrameParser::parse_ipv6(Bytes frame, std::size_t at) {
  if (!has(frame, at, 40) || frame[at] >> 4U != 6) return {};
  FlowKey key;
  key.src = read_addr(frame, at + 8, 16);
  key.dst = read_addr(frame, at + 24, 16);
  // IPv4-mapped addresses (RFC 4291, 2.5.5.2) are for programs; in a packet they are nobody's.
  if (key.src.is_v4() || key.dst.is_v4()) return {};
  std::uint8_t next = frame[at + 6];
  at += 40;
  std::optional<Fragment> fragment;
  for (unsigned count = 0; kExtensions.contains(next); ++count) {
    if (fragment && !fragment->first) break;  // what follows is the middle of something
    if (count == kMostExtensions) return {.verdict = FrameVerdict::kTooDeep};
    if (!has(frame, at, 8)) return {};
    const auto kind = next;
    next = frame[at];
    if (kind == kFragmentHeader) {
      const unsigned word = read16(frame, at + 2);
      const bool more = (word & 1U) != 0;
      const unsigned offset = word >> 3U;
      fragment.reset();
      if (more || offset != 0) {
        fragment =
            Fragment{.of = {key.src, key.dst, read32(frame, at + 4), 0}, .first = offset == 0};
      }  // else it is whole (RFC 6946)
      at += 8;
    } else if (kind == kAuthentication) {
      at += std::size_t{4} * (frame[at + 1] + 2U);
    } else {
      at += std::size_t{8} * (frame[at + 1] + 1U);
    }
  }
  if (at > frame.size()) return {};
  key.protocol = next;
  return parse_datagram(frame, at, key, fragment);
}

ParsedFrame FrameParser::parse_datagram(Bytes frame, std::size_t at, const FlowKey& key,
                                        const std::optional<Fragment>& fragment) {
  if (fragment && !fragment->first) {
    const auto known = fragments_.find(fragment->of);
    return {.verdict = FrameVerdict::kFlow,
            .key = known == fragments_.end() ? key : known->second,
            .header_bytes = at,
            .later_fragment = true};
  }
  const auto parsed = parse_transport(frame, at, key);
  if (fragment && parsed.verdict == FrameVerdict::kFlow) fragments_[fragment->of] = parsed.key;
  return parsed;
}

}  // namespace orb8
