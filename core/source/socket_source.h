// Flows read from the sockets themselves: each with its process, its cgroup and the health of its
// connection, in every network namespace, and at no cost per TCP packet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/kernel/boot_clock.h"
#include "core/kernel/network_state.h"
#include "core/kernel/packet_ring.h"
#include "core/kernel/peer_map.h"
#include "core/kernel/socket_probes.h"
#include "core/source/flow_source.h"
#include "core/source/packet_tap.h"
#include "core/source/resumed_flows.h"
#include "core/source/socket_records.h"

namespace orb8 {

class SocketSource final : public FlowSource {
 public:
  struct Options {
    bool udp = true;           // also UDP, ICMP and all else but TCP, packet by packet
    std::string cgroup_mount;  // of cgroup v2, for UDP; empty: there is none
    std::uint32_t max_flows = 100'000;
    std::uint32_t ring_bytes = 1U << 20;  // of the ring by which sockets that close are told
    // How often all sockets are looked at, to close flows whose end nobody saw.
    std::int64_t census_every_ns = 60'000'000'000;
    // How often at most all descriptors of all processes are looked at, for sockets whose process
    // is not known, and for those that nobody saw opening.
    std::int64_t find_every_ns = 10'000'000'000;
    std::uint32_t slot_bits = 13;  // see SocketProbes::Options
    TcSource::Options packets;     // how single packets are watched while somebody asks for them
    std::string reason;            // why this source was chosen, for status()
  };

  // kUnsupported or kDenied: this kernel cannot, and says why. Without what UDP needs TCP works all
  // the same; status() says so.
  static Result<std::unique_ptr<FlowSource>> open(Options options);

  Result<void> collect(const RecordFn& record) override;
  void forget(std::span<const ToldFlow> flows, const RecordFn& record) override;
  Result<void> want_packets(std::span<const PacketFilter> filters) override;
  void leave_out_port(std::uint16_t port) override;
  const LivingSockets* living_sockets() const override { return alive_ ? &*alive_ : nullptr; }
  std::vector<WaitFd> wait_fds() const override;
  std::size_t handle_ready(std::size_t most, const RecordFn& record,
                           const PacketFn& packet) override;
  SourceStatus status() const override;

 private:
  SocketSource(Options options, SocketProbes probes, BootClock clock, NetworkState network,
               PacketTap tap);
  Result<void> start();
  void take(const orb8_socket_record& record, const RecordFn& tell);
  void tell(FlowRecord record, const RecordFn& tell);
  bool is_own(const orb8_socket_record& record) const;
  void note_losses();
  bool census_is_due();
  void end_census(std::vector<std::uint64_t> alive);
  void forget_gone();
  void read_listeners_anew();
  void note_holder(const orb8_socket_record& record);
  void find_holders();

  Options options_;
  SocketProbes probes_;
  BootClock clock_;
  NetworkState network_;
  PeerMap peers_;
  PacketTap tap_;
  Listeners listeners_;
  std::uint32_t netns_ = 0;  // ours
  std::uint16_t own_port_ = 0;
  ResumedFlows resumed_;
  std::unordered_map<std::uint64_t, Tally> own_;  // the agent's own sockets, by cookie
  Tally own_closed_;
  // While the peers are read: the entries taken out meanwhile, by their incarnation. They may have
  // been read before, in a batch.
  std::optional<std::unordered_set<std::uint64_t>> taken_;
  std::optional<LivingSockets> alive_;  // see living_sockets()
  bool census_wanted_ = false;          // until one was brought to its end
  bool gone_forgotten_ = false;         // since the last
  std::uint64_t ends_lost_ = 0;
  std::uint64_t listeners_untold_ = 0;
  bool listeners_stale_ = false;  // some were not told
  std::int64_t next_census_ns_ = 0;
  std::unordered_map<std::uint64_t, std::uint8_t> looked_for_;  // by cookie: how often
  bool holder_wanted_ = false;
  std::int64_t holders_found_ns_ = 0;
  std::string error_;                 // following the addresses failed: why
  const RecordFn* record_ = nullptr;  // handle_ready()'s, while it runs
  std::unique_ptr<PacketRing> ring_;
};

}  // namespace orb8
