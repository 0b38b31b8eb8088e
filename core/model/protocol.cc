// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/model/flow.h"

namespace orb8 {
namespace {

struct Name {
  std::uint8_t number;
  std::string_view text;
};

// IANA's protocol numbers, as tcpdump and /etc/protocols spell them.
constexpr std::array<Name, 15> kNames = {{{IPPROTO_ICMP, "ICMP"},
                                          {IPPROTO_IGMP, "IGMP"},
                                          {IPPROTO_IPIP, "IPIP"},
                                          {IPPROTO_TCP, "TCP"},
                                          {IPPROTO_UDP, "UDP"},
                                          {IPPROTO_DCCP, "DCCP"},
                                          {IPPROTO_IPV6, "IPv6"},
                                          {IPPROTO_GRE, "GRE"},
                                          {IPPROTO_ESP, "ESP"},
                                          {IPPROTO_AH, "AH"},
                                          {IPPROTO_ICMPV6, "ICMPv6"},
                                          {89, "OSPF"},
                                          {112, "VRRP"},
                                          {IPPROTO_SCTP, "SCTP"},
                                          {IPPROTO_UDPLITE, "UDPLite"}}};

bool same_text(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string protocol_name(std::uint8_t protocol) {
  const auto found = std::ranges::find(kNames, protocol, &Name::number);
  return found == kNames.end() ? std::to_string(protocol) : std::string(found->text);
}

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
  for (const auto& name : kNames) {
    if (same_text(name.text, text)) return name.number;
  }
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_icmp(std::uint8_t protocol) {
  return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

}  // namespace orb8
