// SPDX-License-Identifier: Apache-2.0
#include "core/source/socket_source.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cstring>
#include <utility>

namespace orb8 {
namespace {

constexpr std::uint8_t kLooks = 3;
constexpr std::size_t kMostLookedFor = 65'536;

// Tells an incarnation of an entry of orb8_peers, which can be taken out, from one of a socket: a
// nanosecond is of no account.
constexpr std::uint64_t kPeerBit = 1;

std::uint32_t own_netns() {
  struct stat about = {};
  if (::stat("/proc/thread-self/ns/net", &about) != 0) return 0;
  return static_cast<std::uint32_t>(about.st_ino);
}

orb8_peer_key to_peer_key(const FlowKey& key) {
  const bool sent = key.direction == Direction::kEgress;
  const bool exchanged = !sent && !is_icmp(key.protocol);
  orb8_peer_key out = {};
  out.cookie = key.socket;
  std::memcpy(out.tuple.laddr, (sent ? key.src : key.dst).bytes.data(), sizeof(out.tuple.laddr));
  std::memcpy(out.tuple.raddr, (sent ? key.dst : key.src).bytes.data(), sizeof(out.tuple.raddr));
  out.tuple.lport = exchanged ? key.dst_port : key.src_port;
  out.tuple.rport = exchanged ? key.src_port : key.dst_port;
  out.tuple.proto = key.protocol;
  return out;
}

orb8_socket_record to_record(const orb8_peer_key& key, const orb8_peer& peer) {
  orb8_socket_record record = {};
  record.tuple = key.tuple;
  record.owner = peer.owner;
  record.sent = peer.sent;
  record.received = peer.received;
  record.kind = ORB8_SNAPSHOT;
  record.owner.first_ns |= kPeerBit;
  return record;
}

bool is_peer(const FlowProgress& told) {
  return (told.incarnation & kPeerBit) != 0;
}

}  // namespace

Result<std::unique_ptr<FlowSource>> SocketSource::open(Options options) {
  auto probes = SocketProbes::open({.max_peers = options.max_flows,
                                    .ring_bytes = options.ring_bytes,
                                    .slot_bits = options.slot_bits,
                                    .udp = options.udp,
                                    .cgroup_mount = options.cgroup_mount});
  if (!probes) return std::unexpected(probes.error());
  auto clock = BootClock::open(probes->clock_program_fd());
  if (!clock) return std::unexpected(clock.error());
  auto network = NetworkState::open();
  if (!network) return std::unexpected(network.error());
  auto tap = PacketTap::open(options.packets);
  if (!tap) return std::unexpected(tap.error());
  std::unique_ptr<SocketSource> source(new SocketSource(
      std::move(options), std::move(*probes), *clock, std::move(*network), std::move(*tap)));
  if (auto ok = source->start(); !ok) return std::unexpected(ok.error());
  return source;
}

SocketSource::SocketSource(Options options, SocketProbes probes, BootClock clock,
                           NetworkState network, PacketTap tap)
    : options_(std::move(options)),
      probes_(std::move(probes)),
      clock_(clock),
      network_(std::move(network)),
      peers_(probes_.peers_fd()),
      tap_(std::move(tap)),
      netns_(own_netns()) {}

Result<void> SocketSource::start() {
  if (!probes_.udp_refused().empty()) {
    spdlog::warn("UDP and ICMP are not counted: {}", probes_.udp_refused());
  }
  auto ring = PacketRing::open(probes_.ring_fd(), [this](auto bytes) {
    if (bytes.size() != sizeof(orb8_socket_record)) return;
    orb8_socket_record record;
    std::memcpy(&record, bytes.data(), sizeof(record));
    record.owner.first_ns &= ~kPeerBit;
    take(record, *record_);
  });
  if (!ring) return std::unexpected(ring.error());
  ring_ = std::make_unique<PacketRing>(std::move(*ring));
  // Before the first connection is looked at: they tell which side it was opened from.
  return probes_.listeners([this](const auto& record) { listeners_.add(record); });
}

// --- records ---

void SocketSource::take(const orb8_socket_record& record, const RecordFn& tell_fn) {
  if (record.kind == ORB8_LISTENS) {
    listeners_.add(record);
    return;
  }
  if (record.kind == ORB8_CLOSED && record.old_state == TCP_LISTEN) {
    listeners_.remove(record);
    return;
  }
  if (is_own(record)) {
    const Tally all{.packets = record.sent.packets + record.received.packets,
                    .bytes = record.sent.bytes + record.received.bytes};
    own_[record.owner.cookie] = all;
    if (record.kind == ORB8_CLOSED) {
      own_closed_.packets += all.packets;
      own_closed_.bytes += all.bytes;
      own_.erase(record.owner.cookie);
    }
    return;
  }
  note_holder(record);
  const auto flows = to_flows(record, clock_, listeners_);
  tell(flows.egress, tell_fn);
  tell(flows.ingress, tell_fn);
}

void SocketSource::tell(FlowRecord record, const RecordFn& tell_fn) {
  if (record.packets == 0) return;
  resumed_.take_off(record);
  tell_fn(record);
}

bool SocketSource::is_own(const orb8_socket_record& record) const {
  if (own_port_ == 0 || record.tuple.proto != IPPROTO_TCP || record.owner.netns != netns_) {
    return false;
  }
  const auto is_ours = [&](std::uint16_t port, const Addr& addr) {
    return port == own_port_ && (addr.is_loopback() || network_.addresses().contains(addr));
  };
  return is_ours(record.tuple.lport, Addr::of(record.tuple.laddr)) ||
         is_ours(record.tuple.rport, Addr::of(record.tuple.raddr));
}

// A socket of the kernel has no holder: each is looked for a few times and no more.
void SocketSource::note_holder(const orb8_socket_record& record) {
  if (record.kind == ORB8_CLOSED || record.owner.source == ORB8_OWNER_EXACT) {
    if (!looked_for_.empty()) looked_for_.erase(record.owner.cookie);
    return;
  }
  if (looked_for_.size() >= kMostLookedFor) looked_for_.clear();
  if (looked_for_[record.owner.cookie] < kLooks) holder_wanted_ = true;
}

void SocketSource::find_holders() {
  const auto now_ns = clock_.now_ns();
  if (!holder_wanted_ || now_ns - holders_found_ns_ < options_.find_every_ns) return;
  holders_found_ns_ = now_ns;
  holder_wanted_ = false;
  for (auto& [cookie, looks] : looked_for_) ++looks;
  if (auto ok = probes_.find_holders(); !ok) spdlog::warn("{}", ok.error().what);
  listeners_stale_ = true;  // it finds listeners too
}

Result<void> SocketSource::collect(const RecordFn& record) {
  alive_.reset();
  if (auto ok = clock_.refresh(); !ok) return ok;
  find_holders();
  note_losses();
  if (census_is_due()) census_wanted_ = holder_wanted_ = true;
  std::vector<std::uint64_t> alive;  // by cookie
  const auto whole = probes_.snapshot(census_wanted_, [&](orb8_socket_record& one) {
    if (census_wanted_) alive.push_back(one.owner.cookie);
    one.owner.first_ns &= ~kPeerBit;
    take(one, record);
  });
  if (!whole) return std::unexpected(whole.error());
  taken_.emplace();
  auto ok = peers_.for_each([&](const orb8_peer_key& key, const orb8_peer& peer) {
    if (!taken_->contains(peer.owner.first_ns)) take(to_record(key, peer), record);
  });
  taken_.reset();
  if (!ok) return ok;
  if (ok = tap_.tidy(); !ok) return ok;
  if (census_wanted_ && *whole) end_census(std::move(alive));
  return {};
}

void SocketSource::end_census(std::vector<std::uint64_t> alive) {
  census_wanted_ = false;
  alive_.emplace(std::move(alive));
  gone_forgotten_ = false;
}

// Not before the ring was empty once: the last record of one that is gone goes on from there too.
void SocketSource::forget_gone() {
  if (!alive_ || std::exchange(gone_forgotten_, true)) return;
  resumed_.keep_only(*alive_);
}

// The last word of a socket found no room, or nobody: what was open may be gone.
void SocketSource::note_losses() {
  const auto tallies = probes_.tallies();
  if (!tallies) return;
  const auto lost = tallies->fate[ORB8_SOCK_CLOSES_LOST].times + probes_.missed_ends();
  if (lost != std::exchange(ends_lost_, lost)) census_wanted_ = true;
  const auto untold = tallies->fate[ORB8_SOCK_LISTENERS_UNTOLD].times;
  if (untold != std::exchange(listeners_untold_, untold)) listeners_stale_ = true;
}

// Not before the ring was empty once: what it held is older than what is read.
void SocketSource::read_listeners_anew() {
  if (!std::exchange(listeners_stale_, false)) return;
  Listeners anew;
  if (auto ok = probes_.listeners([&](const auto& record) { anew.add(record); }); !ok) {
    spdlog::warn("{}", ok.error().what);
    listeners_stale_ = true;
    return;
  }
  listeners_ = std::move(anew);
}

// The rest are those that closed where no program ran: some kernels keep them from certain tasks,
// and a softirq may be at work for any.
bool SocketSource::census_is_due() {
  const auto now_ns = clock_.now_ns();
  if (now_ns < next_census_ns_) return false;
  next_census_ns_ = now_ns + options_.census_every_ns;
  return true;
}

void SocketSource::forget(std::span<const ToldFlow> flows, const RecordFn& record) {
  for (const auto& flow : flows) {
    if (flow.life == FlowLife::kClosed || flow.told.incarnation == 0) continue;  // nothing is left
    if (!is_peer(flow.told)) {
      resumed_.add(flow);
      continue;
    }
    orb8_peer peer = {};
    const auto key = to_peer_key(flow.key);
    if (!peers_.take(key, peer)) continue;  // with the flow of the other direction, which shares it
    if (taken_) taken_->insert(peer.owner.first_ns);
    take(to_record(key, peer), record);
  }
}

// --- packets ---

Result<void> SocketSource::want_packets(std::span<const PacketFilter> filters) {
  return tap_.want(filters, own_port_);
}

void SocketSource::leave_out_port(std::uint16_t port) {
  own_port_ = port;
}

// --- waiting ---

std::vector<FlowSource::WaitFd> SocketSource::wait_fds() const {
  auto waits = tap_.wait_fds();
  waits.push_back({.fd = ring_->fd(), .may_wait = true});
  waits.push_back({.fd = network_.fd(), .may_wait = false});
  return waits;
}

std::size_t SocketSource::handle_ready(std::size_t most, const RecordFn& record,
                                       const PacketFn& packet) {
  const auto changed = network_.refresh();
  error_ = changed ? "" : changed.error().what;
  record_ = &record;
  // Sockets first: a packet event lost is a line less, a last record lost is a wrong sum.
  const std::size_t handled = ring_->consume(most);
  record_ = nullptr;
  if (handled < most) {
    forget_gone();
    read_listeners_anew();
  }
  return handled + tap_.handle_ready(most - handled, packet);
}

SourceStatus SocketSource::status() const {
  SourceStatus status;
  status.name = "socket";
  status.reason = options_.reason;
  status.counted_by_table = true;
  status.socket_ends_missed = probes_.missed_ends();
  Component probes{.name = "socket-probe", .reason = error_};
  if (const auto tallies = probes_.tallies()) {
    const auto tally = [&](orb8_sock_fate fate) {
      return Tally{tallies->fate[fate].packets, tallies->fate[fate].bytes};
    };
    const auto closes = tally(ORB8_SOCK_CLOSES_LOST);
    status.accounting.lost = tally(ORB8_SOCK_LOST);
    status.accounting.lost.packets += closes.packets;
    status.accounting.lost.bytes += closes.bytes;
    status.accounting.spilled = tally(ORB8_SOCK_SPILLED);
    status.accounting.unparsed = tally(ORB8_SOCK_UNPARSED);
    status.sockets_untracked = tallies->fate[ORB8_SOCK_UNTRACKED].times;
  } else {
    probes.reason = tallies.error().what;
  }
  status.accounting.own = own_closed_;
  for (const auto& [cookie, moved] : own_) {
    status.accounting.own.packets += moved.packets;
    status.accounting.own.bytes += moved.bytes;
  }
  probes.healthy = probes.reason.empty();
  status.components.push_back(probes);
  status.components.push_back(
      {.name = "udp", .healthy = probes_.udp_refused().empty(), .reason = probes_.udp_refused()});
  status.programs = probes_.programs();
  status.maps = {peers_.fill()};
  status.rings = {ring_->fill()};
  status.runs = probes_.runs();
  if (const auto packets = tap_.status()) {
    status.accounting.packet_events = packets->accounting.packet_events;
    status.accounting.packet_events_lost = packets->accounting.packet_events_lost;
    status.programs.insert(status.programs.end(), packets->programs.begin(),
                           packets->programs.end());
    status.components.insert(status.components.end(), packets->components.begin(),
                             packets->components.end());
    status.rings.insert(status.rings.end(), packets->rings.begin(), packets->rings.end());
    status.runs.insert(status.runs.end(), packets->runs.begin(), packets->runs.end());
  }
  return status;
}

}  // namespace orb8
