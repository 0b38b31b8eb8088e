// What a program costs each packet: BPF_PROG_TEST_RUN on one packet of a flow that exists, all
// programs in one process, in turns, so that what disturbs the machine disturbs them alike.
// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <sched.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/kernel/network_probes.h"
#include "core/kernel/packet_ring.h"
#include "tests/bench/datagram_probes.h"
#include "tests/bench/frames.h"
#include "tests/bench/parts.h"
#include "tests/bench/reference_probes.h"
#include "tests/bench/thread_clock.h"

namespace orb8::bench {
namespace {

constexpr std::size_t kPacketBytes = 128;
constexpr int kRounds = 101;
constexpr int kWarmUpRounds = 3;
constexpr int kPacketsPerRound = 20'000;
constexpr std::uint32_t kRingBytes = 1U << 20;  // a round's events fill four fifths of it
constexpr double kV4Bar = 0.75;                 // of ring_per_packet, both net of empty
constexpr double kV6Bar = 1.0;
constexpr double kUdpBar = 0.45;
constexpr double kTcpPassNs = 3;

// The contenders' places.
enum Which : std::uint8_t {
  kEmpty,
  kRing,
  kTcV4,
  kTcV6,
  kEmptySkb,
  kUdpIn,
  kUdpOut,
  kTcpPass,
  kContenders,
};

struct Contender {
  std::string name;
  Which empty = kEmpty;  // the one that does nothing at the same place
  int program_fd = -1;
  Frame frame;
  std::vector<double> ns = {};  // a packet, one for each round
};

using Contenders = std::array<Contender, kContenders>;

// The thread's CPU time, since the kernel tells the duration of a run in whole nanoseconds only.
// The call around the run is spread over all its packets, and is alike for every contender.
Result<double> run_round(Contender& contender) {
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = contender.frame.data(),
              .data_size_in = static_cast<std::uint32_t>(contender.frame.size()),
              .repeat = kPacketsPerRound);
  const double start = thread_cpu_ns();
  const int err = bpf_prog_test_run_opts(contender.program_fd, &opts);
  const double spent = thread_cpu_ns() - start;
  if (err != 0) return sys_error(-err, "run " + contender.name);
  return spent / kPacketsPerRound;
}

// While alive, the thread stays on the CPU that it is on.
class PinnedThread {
 public:
  PinnedThread() {
    ::sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
    ::sched_setaffinity(0, sizeof(here), &here);
  }
  ~PinnedThread() { ::sched_setaffinity(0, sizeof(before_), &before_); }
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

 private:
  cpu_set_t before_ = {};
};

Result<void> run_rounds(std::span<Contender> contenders, PacketRing& ring) {
  const PinnedThread pinned;
  for (int round = 0; round < kWarmUpRounds + kRounds; ++round) {
    for (auto& contender : contenders) {
      const auto ns = run_round(contender);
      if (!ns) return std::unexpected(ns.error());
      if (round >= kWarmUpRounds) contender.ns.push_back(*ns);
      ring.consume(SIZE_MAX);  // never full, whose turn it ever was
    }
  }
  return {};
}

double net_median(const Contender& contender, const Contender& empty) {
  return median(contender.ns) - median(empty.ns);
}

// A table of the contenders, then what is asked of them.
void report_on(const Contenders& all, Report& report) {
  for (const auto* empty : {&all[kEmpty], &all[kEmptySkb]}) {
    report.add({"kernel.ns_per_packet." + empty->name, median(empty->ns), "ns"});
  }
  for (const auto& contender : all) {
    const auto& empty = all[contender.empty];
    if (&contender == &empty) continue;
    const auto name = "kernel.ns_per_packet." + contender.name;
    const double harness = median(empty.ns);
    const bool tcp_pass = contender.name.starts_with("socket_tcp_pass");
    report.add({name, net_median(contender, empty), "ns net",
                tcp_pass ? std::optional(kTcpPassNs) : std::nullopt});
    report.add({name + ".min", quantile(contender.ns, 0) - harness, "ns net"});
    report.add({name + ".max", quantile(contender.ns, 1) - harness, "ns net"});
  }
  const auto to_ring = [&](Which which) {
    return net_median(all[which], all[all[which].empty]) / net_median(all[kRing], all[kEmpty]);
  };
  report.add({"kernel.tc_v4_to_ring_per_packet", to_ring(kTcV4), "ratio", kV4Bar});
  report.add({"kernel.tc_v6_to_ring_per_packet", to_ring(kTcV6), "ratio", kV6Bar});
  report.add({"kernel.socket_udp_to_ring_per_packet", to_ring(kUdpIn), "ratio", kUdpBar});
  report.add({"kernel.socket_udp_out_to_ring_per_packet", to_ring(kUdpOut), "ratio", kUdpBar});
}

// Every packet must have gone the way that is measured.
Result<void> check_counts(const ReferenceProbes& reference, std::uint64_t events,
                          const NetworkProbes& probes, const DatagramProbes& datagrams) {
  constexpr std::uint64_t kSent = std::uint64_t{kWarmUpRounds + kRounds} * kPacketsPerRound;
  const auto lost = reference.events_lost();
  if (!lost) return std::unexpected(lost.error());
  if (*lost != 0 || events != kSent) {
    return fail(Errc::kInternal, "ring_per_packet sent " + std::to_string(events) + " events, " +
                                     std::to_string(*lost) + " lost, of " + std::to_string(kSent));
  }
  const auto accounting = probes.accounting();
  if (!accounting) return std::unexpected(accounting.error());
  if (accounting->counted.packets != 2 * kSent) {
    return fail(Errc::kInternal, "tc_v4 and tc_v6 counted " +
                                     std::to_string(accounting->counted.packets) +
                                     " packets instead of " + std::to_string(2 * kSent));
  }
  const auto missed = datagrams.missed();
  if (!missed) return std::unexpected(missed.error());
  if (*missed != 0) {
    return fail(Errc::kInternal,
                "socket_udp missed " + std::to_string(*missed) + " packets: they took another way");
  }
  return {};
}

// The kernel makes a socket for each run of a program of this type, and its first packet makes the
// counters. No socket, no counting: the figure would be of nothing.
Result<void> check_socket(const ReferenceProbes& reference, const Frame& frame) {
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data(),
              .data_size_in = static_cast<std::uint32_t>(frame.size()));
  if (const int err = bpf_prog_test_run_opts(reference.has_socket_fd(), &opts); err != 0) {
    return sys_error(-err, "run has_socket");
  }
  if (opts.retval != 1) return fail(Errc::kUnsupported, "this kernel's test runs have no socket");
  return {};
}

}  // namespace

Result<void> measure_kernel(Report& report) {
  auto reference = ReferenceProbes::load(kRingBytes);
  if (!reference) return std::unexpected(reference.error());
  auto probes = NetworkProbes::load({});
  if (!probes) return std::unexpected(probes.error());
  std::uint64_t events = 0;
  auto ring = PacketRing::open(reference->ring_fd(), [&](auto) { ++events; });
  if (!ring) return std::unexpected(ring.error());

  auto datagrams = DatagramProbes::load();
  if (!datagrams) return std::unexpected(datagrams.error());
  const auto udp = udp_v4_frame({2}, {3}, {0x0a000001, 0x0a000002, 40000, 53}, kPacketBytes);
  if (auto ok = check_socket(*reference, udp); !ok) return ok;

  const int product = probes->program_fd(Direction::kIngress, LinkLayer::kEthernet);
  const auto tcp = tcp_v4_frame(kPacketBytes);
  Contenders contenders = {
      Contender{"empty", kEmpty, reference->empty_fd(), tcp},
      Contender{"ring_per_packet", kEmpty, reference->ring_per_packet_fd(), tcp},
      Contender{"tc_v4", kEmpty, product, tcp},
      Contender{"tc_v6", kEmpty, product, tcp_v6_frame(kPacketBytes)},
      Contender{"empty_skb", kEmptySkb, reference->empty_skb_fd(), udp},
      Contender{"socket_udp", kEmptySkb, datagrams->ingress_fd(), udp},
      Contender{"socket_udp_out", kEmptySkb, datagrams->egress_fd(), udp},
      Contender{"socket_tcp_pass", kEmptySkb, datagrams->ingress_fd(), tcp},
  };
  if (auto ok = run_rounds(contenders, *ring); !ok) return ok;
  if (auto ok = check_counts(*reference, events, *probes, *datagrams); !ok) return ok;
  report_on(contenders, report);
  return {};
}

}  // namespace orb8::bench
