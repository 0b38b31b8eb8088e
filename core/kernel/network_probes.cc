// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/network_probes.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "common/network.h"
#include "core/kernel/boot_clock.h"
#include "core/kernel/libbpf_log.h"
#include "core/kernel/map_fill.h"
#include "network.skel.h"

namespace orb8 {
namespace {

constexpr std::uint64_t kTakeoverSeconds = 5;  // longer than ARP holds a packet between two hooks
constexpr std::uint8_t kV4MappedBits = 96;

void apply_prefix(const Prefix& prefix, orb8_packet_filter& out) {
  std::array<std::uint8_t, 16> mask = {};
  for (unsigned bit = 0; bit < prefix.length; ++bit) {
    mask.at(bit / 8) |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
  }
  std::memcpy(out.mask, mask.data(), sizeof(out.mask));
  std::memcpy(out.addr, prefix.addr.bytes.data(), sizeof(out.addr));
  // ::/0 must not mean IPv4 as well, though IPv4 is v4-mapped here.
  out.has_family = prefix.addr.is_v4() && prefix.length >= kV4MappedBits ? 4 : 6;
}

std::uint8_t to_kernel(Side side) {
  switch (side) {
    case Side::kSource:
      return ORB8_SIDE_SRC;
    case Side::kDestination:
      return ORB8_SIDE_DST;
    case Side::kEither:
      break;
  }
  return ORB8_SIDE_SRC | ORB8_SIDE_DST;
}

orb8_packet_filter to_kernel(const PacketFilter& filter) {
  orb8_packet_filter out = {};
  if (filter.version) out.has_family = static_cast<std::uint8_t>(*filter.version);
  if (filter.prefix) {
    apply_prefix(*filter.prefix, out);
    out.addr_sides = to_kernel(filter.prefix_side);
  }
  if (filter.ports) {
    out.port_first = filter.ports->first;
    out.port_last = filter.ports->last;
    out.port_sides = to_kernel(filter.port_side);
  }
  if (filter.protocol) {
    out.has_proto = 1;
    out.proto = *filter.protocol;
  }
  if (filter.direction) {
    out.has_dir = 1;
    out.dir = static_cast<std::uint8_t>(*filter.direction);
  }
  return out;
}

// The addresses in the map that are none of `wanted`.
std::vector<Addr> keys_without(int map_fd, const std::set<Addr>& wanted) {
  std::vector<Addr> others;
  orb8_own_addr key = {};
  for (const void* previous = nullptr; bpf_map_get_next_key(map_fd, previous, &key) == 0;
       previous = &key) {
    const auto addr = Addr::of(key.addr);
    if (!wanted.contains(addr)) others.push_back(addr);
  }
  return others;
}

Tally sum(const std::vector<orb8_tallies>& per_cpu, orb8_fate fate) {
  Tally total;
  for (const auto& cpu : per_cpu) {
    total.packets += cpu.fate[fate].packets;
    total.bytes += cpu.fate[fate].bytes;
  }
  return total;
}

}  // namespace

void NetworkProbes::Destroy::operator()(network_bpf* skeleton) const {
  network_bpf::destroy(skeleton);
}

Result<NetworkProbes> NetworkProbes::load(const Options& options) {
  const LibbpfLog log;
  Skeleton skeleton(network_bpf::open());
  if (!skeleton) return sys_error(errno, "open the network probe");

  const auto& maps = skeleton->maps;
  bpf_map__set_max_entries(maps.orb8_flows_v4, options.max_flows);
  bpf_map__set_max_entries(maps.orb8_flows_v6, options.max_flows);
  bpf_map__set_max_entries(maps.orb8_packets, options.packet_ring_bytes);
  skeleton->rodata->constants.takeover_jiffies =
      kTakeoverSeconds * 1'000'000'000 / static_cast<std::uint64_t>(BootClock::tick_ns());

  if (const int err = network_bpf::load(skeleton.get()); err != 0) {
    auto error = sys_error(-err, "load the network probe");
    if (const auto why = log.tail(); !why.empty()) error.error().what += " (" + why + ")";
    return error;
  }
  return NetworkProbes(std::move(skeleton));
}

int NetworkProbes::program_fd(Direction direction, LinkLayer layer) const {
  const auto& progs = skeleton_->progs;
  const bool ingress = direction == Direction::kIngress;
  if (layer == LinkLayer::kEthernet) {
    return bpf_program__fd(ingress ? progs.network_probe : progs.network_probe_egress);
  }
  return bpf_program__fd(ingress ? progs.network_probe_ip : progs.network_probe_ip_egress);
}

std::string_view NetworkProbes::program_name(Direction direction, LinkLayer layer) {
  const bool ingress = direction == Direction::kIngress;
  if (layer == LinkLayer::kEthernet) return ingress ? "network_probe" : "network_probe_egress";
  return ingress ? "network_probe_ip" : "network_probe_ip_egress";
}

int NetworkProbes::flows_v4_fd() const {
  return bpf_map__fd(skeleton_->maps.orb8_flows_v4);
}
int NetworkProbes::flows_v6_fd() const {
  return bpf_map__fd(skeleton_->maps.orb8_flows_v6);
}
int NetworkProbes::packet_ring_fd() const {
  return bpf_map__fd(skeleton_->maps.orb8_packets);
}
int NetworkProbes::spill_ring_fd() const {
  return bpf_map__fd(skeleton_->maps.orb8_spill);
}
int NetworkProbes::clock_program_fd() const {
  return bpf_program__fd(skeleton_->progs.orb8_clock);
}

Result<void> NetworkProbes::set_live(std::uint32_t ifindex, Direction direction, bool live) {
  const std::uint32_t hook = ORB8_HOOK(ifindex, static_cast<std::uint32_t>(direction));
  const std::uint8_t one = 1;
  const int fd = bpf_map__fd(skeleton_->maps.orb8_hooks);
  const int err =
      live ? bpf_map_update_elem(fd, &hook, &one, BPF_ANY) : bpf_map_delete_elem(fd, &hook);
  if (err != 0 && err != -ENOENT) {
    return sys_error(-err, "note the hooks of ifindex " + std::to_string(ifindex));
  }
  return {};
}

void NetworkProbes::set_packet_filters(std::span<const PacketFilter> filters) {
  auto& control = skeleton_->bss->control;
  std::atomic_ref<std::uint32_t> count(control.filter_count);
  count.store(0, std::memory_order_seq_cst);  // a half-written filter must match nothing
  if (filters.size() > ORB8_FILTER_MAX) {
    control.filters[0] = {};
    count.store(1, std::memory_order_seq_cst);
    return;
  }
  std::size_t used = 0;
  for (const auto& filter : filters) control.filters[used++] = to_kernel(filter);
  count.store(static_cast<std::uint32_t>(used), std::memory_order_seq_cst);
}

void NetworkProbes::set_own_port(std::uint16_t port) {
  std::atomic_ref<std::uint16_t>(skeleton_->bss->control.own_port_be).store(htons(port));
}

Result<void> NetworkProbes::set_own_addresses(std::span<const Addr> addresses) {
  const int fd = bpf_map__fd(skeleton_->maps.orb8_own_addrs);
  // What is stale goes first: its room may be needed.
  for (const auto& addr : keys_without(fd, {addresses.begin(), addresses.end()})) {
    bpf_map_delete_elem(fd, addr.bytes.data());
  }
  const std::uint8_t one = 1;
  std::size_t refused = 0;
  std::string which;
  int why = 0;
  for (const auto& addr : addresses) {
    const int err = bpf_map_update_elem(fd, addr.bytes.data(), &one, BPF_ANY);
    if (err == 0) continue;
    if (refused++ == 0) {
      which = to_string(addr);
      why = -err;
    }
  }
  if (refused == 0) return {};
  return sys_error(why, "note " + std::to_string(refused) + " of " +
                            std::to_string(addresses.size()) + " local addresses, " + which +
                            (refused == 1 ? "" : " and others"));
}

Result<Accounting> NetworkProbes::accounting() const {
  static const int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) return sys_error(-cpus, "count the CPUs");
  std::vector<orb8_tallies> per_cpu(static_cast<std::size_t>(cpus));
  const std::uint32_t zero = 0;
  const int fd = bpf_map__fd(skeleton_->maps.orb8_tally);
  if (const int err = bpf_map_lookup_elem(fd, &zero, per_cpu.data()); err != 0) {
    return sys_error(-err, "read the packet tally");
  }
  Accounting all;
  all.counted = sum(per_cpu, ORB8_COUNTED);
  all.spilled = sum(per_cpu, ORB8_SPILLED);
  all.lost = sum(per_cpu, ORB8_LOST);
  all.duplicate = sum(per_cpu, ORB8_DUPLICATE);
  all.own = sum(per_cpu, ORB8_OWN);
  all.not_ip = sum(per_cpu, ORB8_NOT_IP);
  all.truncated = sum(per_cpu, ORB8_TRUNCATED);
  all.unparsed = sum(per_cpu, ORB8_UNPARSED);
  for (const auto& cpu : per_cpu) {
    all.packet_events += cpu.events_sent;
    all.packet_events_lost += cpu.events_lost;
  }
  return all;
}

std::vector<ProgramRuns> NetworkProbes::runs() const {
  return program_runs(skeleton_->obj);
}

}  // namespace orb8
