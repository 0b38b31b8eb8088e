// SPDX-License-Identifier: Apache-2.0
#include "core/model/flow.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <utility>

namespace orb8 {
namespace {

// The finalizer of MurmurHash3: every bit of the input moves every bit of the output.
constexpr std::uint64_t mix(std::uint64_t h) {
  h = (h ^ (h >> 33U)) * 0xff51afd7ed558ccdULL;
  h = (h ^ (h >> 33U)) * 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33U);
}

std::uint64_t half(const Addr& addr, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, &addr.bytes[at], sizeof(word));
  return word;
}

// Another one in each process: whoever sends packets must not be able to choose flows that collide.
std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getentropy(&seed, sizeof(seed)) != 0) return 0;  // a hash all the same
  return seed;
}

const std::uint64_t kHashSeed = random_seed();

constexpr std::array<std::pair<TcpFlag, std::string_view>, 8> kFlagNames = {{{kTcpSyn, "SYN"},
                                                                             {kTcpFin, "FIN"},
                                                                             {kTcpRst, "RST"},
                                                                             {kTcpPsh, "PSH"},
                                                                             {kTcpAck, "ACK"},
                                                                             {kTcpUrg, "URG"},
                                                                             {kTcpEce, "ECE"},
                                                                             {kTcpCwr, "CWR"}}};

}  // namespace

std::string_view to_string(Direction direction) {
  return direction == Direction::kIngress ? "ingress" : "egress";
}

std::optional<Direction> parse_direction(std::string_view text) {
  if (text == "ingress") return Direction::kIngress;
  if (text == "egress") return Direction::kEgress;
  return std::nullopt;
}

std::uint64_t hash_of_ends(const FlowKey& key) noexcept {
  std::uint64_t h = mix(kHashSeed ^ (static_cast<std::uint64_t>(key.src_port) << 32U |
                                     static_cast<std::uint64_t>(key.dst_port) << 16U |
                                     static_cast<std::uint64_t>(key.protocol)));
  for (const auto* addr : {&key.src, &key.dst}) {
    h = mix(h ^ half(*addr, 0));
    h = mix(h ^ half(*addr, 8));
  }
  return h;
}

std::size_t FlowKeyHash::operator()(const FlowKey& key) const noexcept {
  const auto rest = key.socket << 1U | static_cast<std::uint64_t>(key.direction);
  return mix(hash_of_ends(key) ^ rest);
}

std::string tcp_flags_text(std::uint8_t flags) {
  std::string text;
  for (const auto& [flag, name] : kFlagNames) {
    if ((flags & flag) == 0) continue;
    if (!text.empty()) text += '|';
    text += name;
  }
  return text;
}

std::optional<std::uint8_t> parse_tcp_flags(std::string_view text) {
  std::uint8_t flags = 0;
  while (true) {
    const auto end = text.find_first_of(",|");
    std::string name(text.substr(0, end));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const auto* found =
        std::ranges::find(kFlagNames, name, &std::pair<TcpFlag, std::string_view>::second);
    if (found == kFlagNames.end()) return std::nullopt;
    flags |= found->first;
    if (end == std::string_view::npos) return flags;
    text.remove_prefix(end + 1);
  }
}

const FlowOwners& FlowOwnersRef::operator*() const noexcept {
  static const FlowOwners nobody;
  return shared_ ? *shared_ : nobody;
}

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::kNone:
      return "";
    case EndReason::kClosed:
      return "closed";
    case EndReason::kIdle:
      return "idle";
    case EndReason::kEvicted:
      break;
  }
  return "evicted";
}

EndReason end_of(const Flow& flow) {
  const bool closed = flow.end_reason == EndReason::kNone && flow.life == FlowLife::kClosed;
  return closed ? EndReason::kClosed : flow.end_reason;
}

PodName shown_pod(const FlowKey& key, const FlowOwners& owners) {
  const bool ingress = key.direction == Direction::kIngress;
  const auto& here = ingress ? owners.dst : owners.src;
  const auto& peer = ingress ? owners.src : owners.dst;
  for (const auto* owner : {&here, &peer}) {
    if (*owner && (*owner)->kind == EndpointKind::kPod) {
      return {(*owner)->name_space, (*owner)->name};
    }
  }
  return {"external", "unknown"};
}

}  // namespace orb8
