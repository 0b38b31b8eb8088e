// What a program costs each packet: BPF_PROG_TEST_RUN on one packet of a flow that exists, all
// programs in one process, in turns, so that what disturbs the machine disturbs them alike.
// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <sched.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "core/kernel/network_probes.h"
#include "core/kernel/packet_ring.h"
#include "tests/bench/frames.h"
#include "tests/bench/parts.h"
#include "tests/bench/reference_probes.h"

namespace orb8::bench {
namespace {

constexpr std::size_t kPacketBytes = 128;
constexpr int kRounds = 101;
constexpr int kWarmUpRounds = 3;
constexpr int kPacketsPerRound = 20'000;
constexpr std::uint32_t kRingBytes = 1U << 20;  // a round's events fill four fifths of it
constexpr double kV4Bar = 0.75;                 // of ring_per_packet, both net of empty
constexpr double kV6Bar = 1.0;

struct Contender {
  std::string name;
  int program_fd = -1;
  Frame frame;
  std::vector<double> ns = {};  // a packet, one for each round
};

double thread_cpu_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

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

void report_on(std::span<const Contender> contenders, Report& report) {
  const auto& empty = contenders[0].ns;
  const double harness = median(empty);
  report.add({"kernel.ns_per_packet.empty", harness, "ns"});
  std::vector<double> net;
  for (const auto& contender : contenders.subspan(1)) {
    const auto name = "kernel.ns_per_packet." + contender.name;
    net.push_back(median(contender.ns) - harness);
    report.add({name, net.back(), "ns net"});
    report.add({name + ".min", quantile(contender.ns, 0) - harness, "ns net"});
    report.add({name + ".max", quantile(contender.ns, 1) - harness, "ns net"});
  }
  report.add({"kernel.tc_v4_to_ring_per_packet", net[1] / net[0], "ratio", kV4Bar});
  report.add({"kernel.tc_v6_to_ring_per_packet", net[2] / net[0], "ratio", kV6Bar});
}

// Every packet must have gone the way that is measured.
Result<void> check_counts(const ReferenceProbes& reference, std::uint64_t events,
                          const NetworkProbes& probes) {
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

  const int product = probes->program_fd(Direction::kIngress, LinkLayer::kEthernet);
  std::array<Contender, 4> contenders = {
      Contender{"empty", reference->empty_fd(), tcp_v4_frame(kPacketBytes)},
      Contender{"ring_per_packet", reference->ring_per_packet_fd(), tcp_v4_frame(kPacketBytes)},
      Contender{"tc_v4", product, tcp_v4_frame(kPacketBytes)},
      Contender{"tc_v6", product, tcp_v6_frame(kPacketBytes)},
  };
  if (auto ok = run_rounds(contenders, *ring); !ok) return ok;
  if (auto ok = check_counts(*reference, events, *probes); !ok) return ok;
  report_on(contenders, report);
  return {};
}

}  // namespace orb8::bench
