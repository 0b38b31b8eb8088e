// The network probes, loaded: their programs, maps and controls.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/flow.h"
#include "core/model/packet_filter.h"
#include "core/model/status.h"

struct network_bpf;

namespace orb8 {

// How packets of an interface begin: with an Ethernet header, or with IP (tun, WireGuard, ...).
enum class LinkLayer : std::uint8_t { kEthernet, kNone };

class NetworkProbes {
 public:
  struct Options {
    std::uint32_t max_flows = 100'000;  // of each IP family
    std::uint32_t packet_ring_bytes = 1U << 20;
  };

  // kUnsupported or kDenied carry libbpf's reason. A program's refusal names the program.
  static Result<NetworkProbes> load(const Options& options);

  int program_fd(Direction direction, LinkLayer layer) const;
  static std::string_view program_name(Direction direction, LinkLayer layer);

  int flows_v4_fd() const;
  int flows_v6_fd() const;
  int packet_ring_fd() const;
  int spill_ring_fd() const;
  int clock_program_fd() const;

  // A hook that is not live gives its flows up to another one at once.
  Result<void> set_live(std::uint32_t ifindex, Direction direction, bool live);

  // What packet listeners want. More than the kernel has slots for becomes "every packet".
  void set_packet_filters(std::span<const PacketFilter> filters);

  // The agent's own port (0: none) at these addresses is not accounted.
  void set_own_port(std::uint16_t port);
  // As many as there is room for; the error says of how many others there is none.
  Result<void> set_own_addresses(std::span<const Addr> addresses);

  Result<Accounting> accounting() const;
  // See program_runs().
  std::vector<ProgramRuns> runs() const;

 private:
  struct Destroy {
    void operator()(network_bpf* skeleton) const;
  };
  using Skeleton = std::unique_ptr<network_bpf, Destroy>;
  explicit NetworkProbes(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}

  Skeleton skeleton_;
};

}  // namespace orb8
