// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/flow_maps.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/kernel/map_fill.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kBatch = 2048;    // more than any hash bucket will hold
constexpr int kKernelNotSupported = 524;  // ENOTSUPP, which the kernel leaks and errno.h lacks

Addr mapped(__be32 v4_be) {
  Addr addr = Addr::v4(0, 0, 0, 0);
  std::memcpy(&addr.bytes[12], &v4_be, sizeof(v4_be));
  return addr;
}

orb8_v4_key to_v4(const FlowKey& key) {
  orb8_v4_key out = {};
  std::memcpy(&out.saddr_be, &key.src.bytes[12], sizeof(out.saddr_be));
  std::memcpy(&out.daddr_be, &key.dst.bytes[12], sizeof(out.daddr_be));
  out.sport_be = htons(key.src_port);
  out.dport_be = htons(key.dst_port);
  out.proto = key.protocol;
  return out;
}

orb8_v6_key to_v6(const FlowKey& key) {
  orb8_v6_key out = {};
  std::memcpy(out.saddr, key.src.bytes.data(), sizeof(out.saddr));
  std::memcpy(out.daddr, key.dst.bytes.data(), sizeof(out.daddr));
  out.sport_be = htons(key.src_port);
  out.dport_be = htons(key.dst_port);
  out.proto = key.protocol;
  return out;
}

}  // namespace

FlowKey to_flow_key(const orb8_v4_key& key, Direction direction) {
  return {.src = mapped(key.saddr_be),
          .dst = mapped(key.daddr_be),
          .src_port = ntohs(key.sport_be),
          .dst_port = ntohs(key.dport_be),
          .protocol = key.proto,
          .direction = direction};
}

FlowKey to_flow_key(const orb8_v6_key& key, Direction direction) {
  FlowKey out = {.src = {},
                 .dst = {},
                 .src_port = ntohs(key.sport_be),
                 .dst_port = ntohs(key.dport_be),
                 .protocol = key.proto,
                 .direction = direction};
  std::memcpy(out.src.bytes.data(), key.saddr, sizeof(key.saddr));
  std::memcpy(out.dst.bytes.data(), key.daddr, sizeof(key.daddr));
  return out;
}

std::uint8_t tcp_flags_of(const orb8_flow_stats& stats) {
  unsigned flags = stats.tcp_flags;
  for (unsigned bit = 0; bit < std::size(stats.flag_seen); ++bit) {
    if (stats.flag_seen[bit] != 0) flags |= 1U << bit;
  }
  return static_cast<std::uint8_t>(flags);
}

FlowMaps::FlowMaps(int flows_v4_fd, int flows_v6_fd)
    : flows_v4_fd_(flows_v4_fd),
      flows_v6_fd_(flows_v6_fd),
      keys_(kBatch * sizeof(orb8_v6_key)),
      values_(kBatch) {}

// How many entries there were.
template <class Key>
Result<std::uint64_t> FlowMaps::read_all(int map_fd, const VisitFn& visit) {
  std::uint32_t bucket = 0;  // the kernel's place in the map
  std::uint64_t entries = 0;
  bool first = true;
  for (;;) {
    std::uint32_t count = kBatch;
    const int err = bpf_map_lookup_batch(map_fd, first ? nullptr : &bucket, &bucket, keys_.data(),
                                         values_.data(), &count, nullptr);
    if (err != 0 && err != -ENOENT) return sys_error(-err, "read the flow map");
    for (std::uint32_t i = 0; i < count; ++i) {
      Key key;
      std::memcpy(&key, &keys_[i * sizeof(Key)], sizeof(Key));
      visit(to_flow_key(key, static_cast<Direction>(values_[i].dir)), values_[i]);
    }
    entries += count;
    if (err == -ENOENT) return entries;  // that was the last batch
    first = false;
  }
}

Result<void> FlowMaps::for_each(const VisitFn& visit) {
  const auto v4 = read_all<orb8_v4_key>(flows_v4_fd_, visit);
  if (!v4) return std::unexpected(v4.error());
  const auto v6 = read_all<orb8_v6_key>(flows_v6_fd_, visit);
  if (!v6) return std::unexpected(v6.error());
  entries_v4_ = *v4;
  entries_v6_ = *v6;
  return {};
}

std::array<Fill, 2> FlowMaps::fill() const {
  return {fill_of_map(flows_v4_fd_, entries_v4_), fill_of_map(flows_v6_fd_, entries_v6_)};
}

template <class Key>
std::optional<orb8_flow_stats> FlowMaps::take_from(int map_fd, const Key& key) {
  orb8_flow_stats stats = {};
  if (take_in_one_call_) {
    const int err = bpf_map_lookup_and_delete_elem(map_fd, &key, &stats);
    if (err == 0) return stats;
    if (err != -EINVAL && err != -EOPNOTSUPP && err != -kKernelNotSupported) return std::nullopt;
    take_in_one_call_ = false;
  }
  // A packet between the two calls is lost; only on kernels before 5.14, and for an idle flow.
  if (bpf_map_lookup_elem(map_fd, &key, &stats) != 0) return std::nullopt;
  bpf_map_delete_elem(map_fd, &key);
  return stats;
}

std::optional<orb8_flow_stats> FlowMaps::take(const FlowKey& key) {
  if (key.src.is_v4() && key.dst.is_v4()) {
    // A v4-mapped address can also be written into an IPv6 header, where it belongs to no one.
    if (auto stats = take_from(flows_v4_fd_, to_v4(key))) return stats;
  }
  return take_from(flows_v6_fd_, to_v6(key));
}

}  // namespace orb8
