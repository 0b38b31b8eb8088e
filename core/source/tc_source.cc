// SPDX-License-Identifier: Apache-2.0
#include "core/source/tc_source.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "core/source/interface_choice.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kRetryEvery = 10;  // snapshots
constexpr std::size_t kSpilledFlows = 65'536;
// So that snapshots and rings get their turn in between: a tenth of a second or so.
constexpr std::size_t kInterfacesAtOnce = 4;
constexpr auto kAllInterfaces = std::numeric_limits<std::size_t>::max();

Addr mapped(std::uint32_t v4) {
  return Addr::v4(static_cast<std::uint8_t>(v4 >> 24U), static_cast<std::uint8_t>(v4 >> 16U),
                  static_cast<std::uint8_t>(v4 >> 8U), static_cast<std::uint8_t>(v4));
}

template <class EventRecord>
FlowKey packet_key(const EventRecord& event, const Addr& src, const Addr& dst) {
  return {.src = src,
          .dst = dst,
          .src_port = event.src_port,
          .dst_port = event.dst_port,
          .protocol = event.protocol,
          .direction = static_cast<Direction>(event.direction)};
}

template <class Record>
Record read_as(std::span<const std::byte> bytes) {
  Record record;
  std::memcpy(&record, bytes.data(), sizeof(record));
  return record;
}

Event to_event(const FlowKey& key, const orb8_packet_more& more, std::uint64_t cgroup_id,
               std::int64_t at_ns) {
  Event event;
  event.kind = EventKind::kPacket;
  event.flow.key = key;
  event.flow.ifindex = more.ifindex;
  event.flow.tcp_flags = more.tcp_flags;
  event.flow.packets = event.packets = more.packets;
  event.flow.bytes = event.bytes = more.bytes;
  event.flow.first_seen_ns = event.flow.last_seen_ns = event.timestamp_ns = at_ns;
  event.cgroup_id = cgroup_id;
  return event;
}

}  // namespace

Result<std::unique_ptr<TcSource>> TcSource::open(Options options) {
  spdlog::info("Loading network probe...");
  auto probes = NetworkProbes::load(
      {.max_flows = options.max_flows, .packet_ring_bytes = options.packet_ring_bytes});
  if (!probes) return std::unexpected(probes.error());
  auto clock = BootClock::open(probes->clock_program_fd());
  if (!clock) return std::unexpected(clock.error());
  auto network = NetworkState::open();
  if (!network) return std::unexpected(network.error());
  // Wherever it was attached, and by whatever mechanism we attach now.
  for (const auto& [ifindex, interface] : network->interfaces()) {
    ClsactFilter::remove_abandoned(ifindex);
  }

  std::unique_ptr<TcSource> source(
      new TcSource(std::move(options), std::move(*probes), *clock, std::move(*network)));
  if (auto ok = source->open_waits(); !ok) return std::unexpected(ok.error());
  source->note_addresses();
  source->follow_interfaces(source->options_.few_at_start ? kInterfacesAtOnce : kAllInterfaces);
  if (source->hooks_.none() && source->hooks_.refused() && !source->unfinished_) {
    return fail(Errc::kDenied, source->hooks_.refusal_text());
  }
  return source;
}

TcSource::TcSource(Options options, NetworkProbes probes, BootClock clock, NetworkState network)
    : options_(std::move(options)),
      probes_(std::move(probes)),
      clock_(clock),
      network_(std::move(network)),
      flows_(probes_.flows_v4_fd(), probes_.flows_v6_fd()),
      spill_anchors_(kSpilledFlows),
      hooks_(probes_, options_.mechanism, options_.place),
      more_interfaces_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<void> TcSource::open_waits() {
  if (!more_interfaces_) return sys_error(errno, "make the flow source's eventfd");
  auto packets =
      PacketRing::open(probes_.packet_ring_fd(), [this](auto bytes) { on_packet(bytes); });
  if (!packets) return std::unexpected(packets.error());
  auto spilled =
      PacketRing::open(probes_.spill_ring_fd(), [this](auto bytes) { on_spilled(bytes); });
  if (!spilled) return std::unexpected(spilled.error());
  packet_ring_ = std::make_unique<PacketRing>(std::move(*packets));
  spill_ring_ = std::make_unique<PacketRing>(std::move(*spilled));
  return {};
}

// --- interfaces ---

void TcSource::follow_network() {
  std::uint64_t ignored = 0;
  if (::read(more_interfaces_.get(), &ignored, sizeof(ignored)) < 0 && errno != EAGAIN) {
    spdlog::error("read the flow source's eventfd: {}", errno);
  }
  const auto changed = network_.refresh();
  network_error_ = changed ? "" : changed.error().what;
  const bool news = changed && *changed;
  if (news) note_addresses();
  if (news || unfinished_) follow_interfaces(kInterfacesAtOnce);
}

void TcSource::follow_interfaces(std::size_t most) {
  unfinished_ = leaving_ ? !hooks_.let_go(most)
                         : !hooks_.follow(
                               choose_interfaces(network_.interfaces(), options_.interfaces), most);
  if (!unfinished_) return;
  const std::uint64_t one = 1;
  if (::write(more_interfaces_.get(), &one, sizeof(one)) < 0) {
    spdlog::error("write the flow source's eventfd: {}", errno);
  }
}

void TcSource::watch_interfaces(bool watch) {
  if (leaving_ == !watch) return;
  leaving_ = !watch;
  follow_interfaces(kInterfacesAtOnce);
}

void TcSource::note_addresses() {
  const auto noted = probes_.set_own_addresses(
      std::vector<Addr>(network_.addresses().begin(), network_.addresses().end()));
  const auto error = noted ? "" : noted.error().what;
  if (!noted && error != address_error_) {
    spdlog::warn("{}: the agent's own traffic may be accounted", error);
  }
  address_error_ = error;
}

// --- flows ---

FlowRecord TcSource::to_record(const FlowKey& key, const orb8_flow_stats& stats) const {
  return {.key = key,
          .packets = stats.packets,
          .bytes = stats.bytes,
          .incarnation = stats.first_ns,
          .first_seen_ns = clock_.wall_ns(stats.first_ns),
          .last_seen_ns = clock_.wall_of_jiffies(stats.last_jiffies),
          .cgroup_id = stats.cgroup_id,
          .ifindex = stats.anchor >> 1U,
          .tcp_flags = tcp_flags_of(stats)};
}

Result<void> TcSource::collect(const RecordFn& record) {
  if (auto ok = clock_.refresh(); !ok) return ok;
  if (!network_error_.empty()) follow_network();
  if (hooks_.refused() && collects_until_retry_-- == 0) {
    collects_until_retry_ = kRetryEvery;
    hooks_.retry();
    follow_interfaces(kInterfacesAtOnce);
  }
  spill_anchors_.forget_silent(clock_.now_ns());

  // The tally is read first: what it has counted is in the map by now.
  const auto accounting = probes_.accounting();
  if (!accounting) return std::unexpected(accounting.error());
  if (accounting->counted.packets == counted_packets_) return {};

  // An entry untouched since the last snapshot is not news. A tenth of a second of grace covers a
  // probe that was interrupted between reading the time and adding; cumulative counters make a
  // record too many harmless, and one missed is made up for by the flow's next.
  const auto moved_since = collected_jiffies_ - clock_.jiffies_per_second() / 10;
  const bool first = collected_jiffies_ == 0;
  taken_.emplace();
  auto ok = flows_.for_each([&](const FlowKey& key, const orb8_flow_stats& stats) {
    if (taken_->contains(stats.first_ns)) return;
    if (!first && static_cast<std::int64_t>(stats.last_jiffies - moved_since) < 0) return;
    record(to_record(key, stats));
  });
  taken_.reset();
  if (!ok) return ok;
  counted_packets_ = accounting->counted.packets;
  collected_jiffies_ = clock_.jiffies();
  return {};
}

void TcSource::forget(std::span<const ToldFlow> flows, const RecordFn& record) {
  for (const auto& flow : flows) {
    const auto stats = flows_.take(flow.key);
    if (!stats) continue;
    if (taken_) taken_->insert(stats->first_ns);
    auto key = flow.key;
    // The kernel's key has no direction: this may be a newer entry, of the other one.
    key.direction = static_cast<Direction>(stats->dir);
    record(to_record(key, *stats));
  }
}

void TcSource::on_spilled(std::span<const std::byte> bytes) {
  if (bytes.size() != sizeof(orb8_spilled)) return;
  const auto spilled = read_as<orb8_spilled>(bytes);
  const auto key = to_flow_key(spilled.key, static_cast<Direction>(spilled.hook & 1U));
  const auto at_ns = clock_.wall_ns(spilled.timestamp_ns);
  if (!spill_anchors_.counts_at(key, spilled.hook, at_ns)) return;
  (*record_)({.key = key,
              .packets = spilled.packets,
              .bytes = spilled.bytes,
              .incarnation = 0,
              .first_seen_ns = at_ns,
              .last_seen_ns = at_ns,
              .cgroup_id = spilled.cgroup_id,
              .ifindex = spilled.hook >> 1U,
              .tcp_flags = spilled.tcp_flags});
}

// --- packets ---

Result<void> TcSource::want_packets(std::span<const PacketFilter> filters) {
  probes_.set_packet_filters(filters);
  return {};
}

void TcSource::leave_out_port(std::uint16_t port) {
  probes_.set_own_port(port);
}

void TcSource::on_packet(std::span<const std::byte> bytes) {
  if (bytes.size() == sizeof(orb8_packet_v4)) {
    const auto [event, more] = read_as<orb8_packet_v4>(bytes);
    (*packet_)(to_event(packet_key(event, mapped(event.src_ip), mapped(event.dst_ip)), more,
                        event.cgroup_id, clock_.wall_ns(event.timestamp_ns)));
  } else if (bytes.size() == sizeof(orb8_packet_v6)) {
    const auto [event, more] = read_as<orb8_packet_v6>(bytes);
    (*packet_)(to_event(packet_key(event, Addr::of(event.src_ip), Addr::of(event.dst_ip)), more,
                        event.cgroup_id, clock_.wall_ns(event.timestamp_ns)));
  }
}

// --- waiting ---

std::vector<FlowSource::WaitFd> TcSource::wait_fds() const {
  return {{.fd = packet_ring_->fd(), .may_wait = true},
          {.fd = spill_ring_->fd(), .may_wait = true},
          {.fd = network_.fd(), .may_wait = false},
          {.fd = more_interfaces_.get(), .may_wait = false}};
}

std::size_t TcSource::handle_ready(std::size_t most, const RecordFn& record,
                                   const PacketFn& packet) {
  follow_network();
  record_ = &record;
  packet_ = &packet;
  // Spilled flows first: a packet event lost is a line less, a spill lost is a wrong sum.
  std::size_t handled = spill_ring_->consume(most);
  handled += packet_ring_->consume(most - handled);
  record_ = nullptr;
  packet_ = nullptr;
  return handled;
}

SourceStatus TcSource::status() const {
  SourceStatus status;
  status.name = "tc";
  status.reason = options_.reason;
  Component probes{.name = "network-probe", .reason = ""};
  Component interfaces{.name = "interfaces", .reason = ""};
  if (const auto accounting = probes_.accounting()) {
    status.accounting = *accounting;
  } else {
    probes.healthy = false;
    probes.reason = accounting.error().what;
  }
  status.programs = hooks_.programs();
  interfaces.reason = hooks_.refusal_text();
  if (hooks_.none()) interfaces.reason += "no interface is watched: none matches";
  if (!network_error_.empty()) interfaces.reason += network_error_;
  interfaces.healthy = interfaces.reason.empty();
  status.components = {probes, interfaces};
  const auto maps = flows_.fill();
  status.maps = {maps.begin(), maps.end()};
  status.rings = {packet_ring_->fill(), spill_ring_->fill()};
  status.runs = probes_.runs();
  return status;
}

}  // namespace orb8
