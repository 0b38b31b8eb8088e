// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/probe_run.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace orb8 {
namespace {

orb8_v4_key to_v4(const FlowKey& key) {
  orb8_v4_key out = {};
  std::memcpy(&out.saddr_be, &key.src.bytes[12], 4);
  std::memcpy(&out.daddr_be, &key.dst.bytes[12], 4);
  out.sport_be = htons(key.src_port);
  out.dport_be = htons(key.dst_port);
  out.proto = key.protocol;
  return out;
}

orb8_v6_key to_v6(const FlowKey& key) {
  orb8_v6_key out = {};
  std::memcpy(out.saddr, key.src.bytes.data(), 16);
  std::memcpy(out.daddr, key.dst.bytes.data(), 16);
  out.sport_be = htons(key.src_port);
  out.dport_be = htons(key.dst_port);
  out.proto = key.protocol;
  return out;
}

template <class Key>
std::size_t count_entries(int map_fd) {
  std::size_t count = 0;
  Key key = {};
  for (const void* previous = nullptr; bpf_map_get_next_key(map_fd, previous, &key) == 0;
       previous = &key) {
    ++count;
  }
  return count;
}

template <class Key>
void clear(int map_fd) {
  // All keys first: to look for the first one anew each time takes ever longer.
  std::vector<Key> keys(1);
  const void* previous = nullptr;
  while (bpf_map_get_next_key(map_fd, previous, &keys.back()) == 0) {
    keys.push_back(keys.back());
    previous = &keys[keys.size() - 2];
  }
  keys.pop_back();
  for (const auto& key : keys) bpf_map_delete_elem(map_fd, &key);
}

int collect_record(void* records, void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  static_cast<std::vector<std::vector<std::uint8_t>>*>(records)->emplace_back(bytes, bytes + size);
  return 0;
}

}  // namespace

void run_program(int program_fd, const Packet& packet, const RunOptions& options) {
  auto in = packet.bytes();
  std::vector<std::uint8_t> out(in.size() + 64);
  __sk_buff context = {};
  context.ifindex = options.ifindex;
  context.gso_size = options.gso_size;
  context.gso_segs = options.gso_segs;
  context.wire_len = options.wire_len;
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in.data(), .data_out = out.data(),
              .data_size_in = static_cast<__u32>(in.size()),
              .data_size_out = static_cast<__u32>(out.size()), .ctx_in = &context,
              .ctx_size_in = sizeof(context), .repeat = static_cast<int>(options.repeat));
  EXPECT_EQ(bpf_prog_test_run_opts(program_fd, &opts), 0) << std::strerror(errno);
  out.resize(opts.data_size_out);
  EXPECT_EQ(out, in) << "an observer changes nothing";
  EXPECT_EQ(static_cast<int>(opts.retval), kTcActUnspec) << "an observer ends no filter chain";
}

ProbeRun::Skeleton ProbeRun::open_and_load() {
  Skeleton skeleton(network_bpf::open());
  if (!skeleton) return nullptr;
  if (const int err = network_bpf::load(skeleton.get()); err != 0) {
    errno = -err;
    return nullptr;
  }
  return skeleton;
}

void ProbeRun::SetUp() {
  static int load_error = 0;
  static const Skeleton shared = [] {
    auto skeleton = open_and_load();
    load_error = skeleton ? 0 : errno;
    return skeleton;
  }();
  if (!shared) {
    const auto reason = std::string("cannot load BPF here: ") + std::strerror(load_error);
    // Only what is not allowed is skipped: a program that the verifier refuses is a failure.
    if (load_error == EPERM && std::getenv("ORB8_REQUIRE_BPF") == nullptr) {
      GTEST_SKIP() << reason << "; root is needed";
    }
    FAIL() << reason;
  }
  skeleton_ = shared.get();
  empty_maps();
  set_live(kLoopback, Direction::kIngress, true);
  set_live(kLoopback, Direction::kEgress, true);
}

void ProbeRun::empty_maps() const {
  const auto& maps = skeleton_->maps;
  clear<orb8_v4_key>(bpf_map__fd(maps.orb8_flows_v4));
  clear<orb8_v6_key>(bpf_map__fd(maps.orb8_flows_v6));
  forget_fragments();
  clear<orb8_own_addr>(bpf_map__fd(maps.orb8_own_addrs));
  clear<std::uint32_t>(bpf_map__fd(maps.orb8_hooks));
  drain(maps.orb8_packets);
  drain(maps.orb8_spill);
  const std::vector<orb8_tallies> zeros(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  const std::uint32_t only = 0;
  ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(maps.orb8_tally), &only, zeros.data(), BPF_ANY), 0);
  skeleton_->bss->control = {};
}

bpf_program* ProbeRun::program(const RunOptions& options) const {
  const auto& progs = skeleton_->progs;
  const bool ingress = options.direction == Direction::kIngress;
  if (options.layer == LinkLayer::kNone) {
    return ingress ? progs.network_probe_ip : progs.network_probe_ip_egress;
  }
  return ingress ? progs.network_probe : progs.network_probe_egress;
}

void ProbeRun::run(const Packet& packet, const RunOptions& options) const {
  run_program(bpf_program__fd(program(options)), packet, options);
}

int ProbeRun::look_up(const FlowKey& key, orb8_flow_stats& stats) const {
  const auto v4 = to_v4(key);
  const auto v6 = to_v6(key);
  return key.src.is_v4()
             ? bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.orb8_flows_v4), &v4, &stats)
             : bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.orb8_flows_v6), &v6, &stats);
}

bool ProbeRun::has_flow(const FlowKey& key) const {
  orb8_flow_stats stats;
  return look_up(key, stats) == 0;
}

orb8_flow_stats ProbeRun::flow(const FlowKey& key) const {
  orb8_flow_stats stats;
  return look_up(key, stats) == 0 ? stats : orb8_flow_stats{};
}

void ProbeRun::forget(const FlowKey& key) const {
  const auto v4 = to_v4(key);
  const auto v6 = to_v6(key);
  if (key.src.is_v4()) {
    bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.orb8_flows_v4), &v4);
  } else {
    bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.orb8_flows_v6), &v6);
  }
}

void ProbeRun::forget_fragments() const {
  clear<orb8_fragment>(bpf_map__fd(skeleton_->maps.orb8_fragments));
}

std::size_t ProbeRun::flow_count() const {
  return count_entries<orb8_v4_key>(bpf_map__fd(skeleton_->maps.orb8_flows_v4)) +
         count_entries<orb8_v6_key>(bpf_map__fd(skeleton_->maps.orb8_flows_v6));
}

orb8_tallies ProbeRun::tallies() const {
  std::vector<orb8_tallies> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  const std::uint32_t zero = 0;
  EXPECT_EQ(bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.orb8_tally), &zero, per_cpu.data()), 0);
  orb8_tallies sum = {};
  for (const auto& cpu : per_cpu) {
    for (int fate = 0; fate < ORB8_FATE_MAX; ++fate) {
      sum.fate[fate].packets += cpu.fate[fate].packets;
      sum.fate[fate].bytes += cpu.fate[fate].bytes;
    }
    sum.events_sent += cpu.events_sent;
    sum.events_lost += cpu.events_lost;
  }
  return sum;
}

orb8_tally ProbeRun::tally(orb8_fate fate) const {
  return tallies().fate[fate];
}

std::uint64_t ProbeRun::tallied() const {
  std::uint64_t packets = 0;
  for (const auto& fate : tallies().fate) packets += fate.packets;
  return packets;
}

std::vector<std::vector<std::uint8_t>> ProbeRun::drain(bpf_map* ring) const {
  std::vector<std::vector<std::uint8_t>> records;
  auto* reader = ring_buffer__new(bpf_map__fd(ring), collect_record, &records, nullptr);
  EXPECT_NE(reader, nullptr);
  ring_buffer__consume(reader);
  ring_buffer__free(reader);
  return records;
}

void ProbeRun::set_live(std::uint32_t ifindex, Direction direction, bool live) const {
  const std::uint32_t hook = ORB8_HOOK(ifindex, static_cast<std::uint32_t>(direction));
  const std::uint8_t one = 1;
  const int fd = bpf_map__fd(skeleton_->maps.orb8_hooks);
  if (live) {
    ASSERT_EQ(bpf_map_update_elem(fd, &hook, &one, BPF_ANY), 0);
  } else {
    bpf_map_delete_elem(fd, &hook);
  }
}

void ProbeRun::set_filters(const std::vector<orb8_packet_filter>& filters) const {
  auto& control = skeleton_->bss->control;
  for (std::size_t i = 0; i < filters.size(); ++i) control.filters[i] = filters[i];
  control.filter_count = static_cast<std::uint32_t>(filters.size());
}

FlowKey v4_flow(std::uint8_t protocol, std::uint16_t sport, std::uint16_t dport) {
  return {.src = Addr::v4(10, 0, 0, 1),
          .dst = Addr::v4(10, 0, 0, 2),
          .src_port = sport,
          .dst_port = dport,
          .protocol = protocol,
          .direction = Direction::kIngress};
}

FlowKey v6_flow(std::uint8_t protocol, std::uint16_t sport, std::uint16_t dport) {
  auto key = v4_flow(protocol, sport, dport);
  key.src = parse_addr("fd00::1").value_or(Addr{});
  key.dst = parse_addr("fd00::2").value_or(Addr{});
  return key;
}

Packet udp4(std::size_t payload) {
  return Packet().ethernet(0x0800).ipv4({.protocol = IPPROTO_UDP}).udp(4242, 53).payload(payload);
}

Packet tcp4(std::uint8_t flags, std::size_t payload) {
  return Packet()
      .ethernet(0x0800)
      .ipv4({.protocol = IPPROTO_TCP})
      .tcp(4242, 80, flags)
      .payload(payload);
}

}  // namespace orb8
