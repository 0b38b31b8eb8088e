// Flows from TC classifiers on the network interfaces.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/kernel/boot_clock.h"
#include "core/kernel/flow_maps.h"
#include "core/kernel/network_probes.h"
#include "core/kernel/network_state.h"
#include "core/kernel/packet_ring.h"
#include "core/kernel/tc_attachment.h"
#include "core/source/flow_source.h"
#include "core/source/interface_hooks.h"
#include "core/source/spill_anchors.h"

namespace orb8 {

class TcSource final : public FlowSource {
 public:
  struct Options {
    std::vector<std::string> interfaces;  // globs; empty: discover
    TcMechanism mechanism = TcMechanism::kAuto;
    TcPlace place = TcPlace::kHead;
    std::uint32_t max_flows = 100'000;
    std::uint32_t packet_ring_bytes = 1U << 20;
    std::string reason;  // why this source was chosen, for status()
    // open() attaches to a few interfaces, and handle_ready() to the others. Otherwise open() takes
    // all, seconds where there are a hundred.
    bool few_at_start = false;
  };

  // Loads the probes and attaches them to the interfaces of the calling thread's network namespace.
  // An interface that refuses is reported by status(); that none can be watched is an error.
  static Result<std::unique_ptr<TcSource>> open(Options options);

  Result<void> collect(const RecordFn& record) override;
  void forget(std::span<const ToldFlow> flows, const RecordFn& record) override;
  Result<void> want_packets(std::span<const PacketFilter> filters) override;
  void leave_out_port(std::uint16_t port) override;
  std::vector<WaitFd> wait_fds() const override;
  std::size_t handle_ready(std::size_t most, const RecordFn& record,
                           const PacketFn& packet) override;
  SourceStatus status() const override;

  // False: detaches from a few interfaces now, and with each handle_ready() from a few more, until
  // has_left(). True, before or after: attaches again, a few at a time as well.
  void watch_interfaces(bool watch);
  bool has_left() const { return leaving_ && hooks_.none(); }

 private:
  TcSource(Options options, NetworkProbes probes, BootClock clock, NetworkState network);
  Result<void> open_waits();
  void follow_network();
  void follow_interfaces(std::size_t most);
  void note_addresses();
  FlowRecord to_record(const FlowKey& key, const orb8_flow_stats& stats) const;
  void on_packet(std::span<const std::byte> bytes);
  void on_spilled(std::span<const std::byte> bytes);

  Options options_;
  NetworkProbes probes_;
  BootClock clock_;
  NetworkState network_;
  FlowMaps flows_;
  SpillAnchors spill_anchors_;
  InterfaceHooks hooks_;
  bool leaving_ = false;       // see watch_interfaces()
  bool unfinished_ = false;    // more interfaces are wanted than are watched, or fewer,
  UniqueFd more_interfaces_;   // and this eventfd wakes us for the rest
  std::string address_error_;  // not all addresses could be noted: why
  std::string network_error_;  // following interfaces failed: why
  // While a snapshot is under way: the entries taken out meanwhile, by their incarnation. It may
  // have read them before, in a batch.
  std::optional<std::unordered_set<std::uint64_t>> taken_;
  std::uint64_t counted_packets_ = 0;       // the tally at the last collect()
  std::uint64_t collected_jiffies_ = 0;     // and its time
  std::uint32_t collects_until_retry_ = 0;  // of refused interfaces
  const RecordFn* record_ = nullptr;        // handle_ready()'s, while it runs
  const PacketFn* packet_ = nullptr;
  std::unique_ptr<PacketRing> packet_ring_;
  std::unique_ptr<PacketRing> spill_ring_;
};

}  // namespace orb8
