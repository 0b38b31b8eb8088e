// A UDP flood over veth: how much of it each design accounts.
// SPDX-License-Identifier: Apache-2.0
#include <net/if.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "core/config/config.h"
#include "core/kernel/packet_ring.h"
#include "core/kernel/tc_attachment.h"
#include "core/pipeline/pipeline.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"
#include "tests/bench/reference_probes.h"
#include "tests/bench/udp_flood.h"

namespace orb8::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kFloodTime = std::chrono::seconds(5);
constexpr auto kSegmentedTime = std::chrono::seconds(3);
constexpr auto kSettleTime = std::chrono::seconds(5);
constexpr unsigned kSegments = 32;

// The classic design's figures.
constexpr std::uint32_t kClassicRingBytes = 1U << 20;
constexpr auto kClassicPoll = std::chrono::milliseconds(100);
constexpr std::size_t kClassicBatch = 1024;

// What a flood put on the wire.
struct Arrived {
  std::uint64_t sent = 0;     // datagrams handed to the kernel
  std::uint64_t packets = 0;  // at the watched interface; a GSO packet is one here
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;  // between the two
};

Result<Arrived> flood(const NetworkPair& pair, unsigned segments, Clock::duration time) {
  const auto before = pair.watched_counters();
  const auto before_sender = pair.sender_counters();
  auto flood = UdpFlood::start(pair, segments);
  if (!flood) return std::unexpected(flood.error());
  std::this_thread::sleep_for(time);
  Arrived arrived;
  arrived.sent = (*flood)->stop();
  const auto after = pair.watched_counters();
  const auto after_sender = pair.sender_counters();
  if (!before || !before_sender || !after || !after_sender) {
    return fail(Errc::kInternal, "the interfaces' counters cannot be read");
  }
  arrived.packets = after->rx_packets - before->rx_packets;
  arrived.bytes = after->rx_bytes - before->rx_bytes;
  arrived.dropped = after_sender->tx_dropped - before_sender->tx_dropped;
  return arrived;
}

double rate(std::uint64_t packets, Clock::duration time) {
  return static_cast<double>(packets) / std::chrono::duration<double>(time).count();
}

// The probes see a packet a moment after the interface counted it; and a status comes each second.
void wait_until_counted(const Pipeline& pipeline, std::uint64_t packets) {
  const auto deadline = Clock::now() + kSettleTime;
  while (pipeline.status().source.accounting.counted.packets < packets && Clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Tally sum_of_ingress(const FlowSnapshot& flows) {
  Tally sum;
  flows.for_each([&](const Flow& flow) {
    if (flow.key.direction != Direction::kIngress) return;
    sum.packets += flow.packets;
    sum.bytes += flow.bytes;
  });
  return sum;
}

// Expected is what the interface counted; of segmented datagrams, which it counts by the super-
// packet, what was sent. Bytes are compared too, which for those includes each segment's headers.
Result<void> measure_product(const NetworkPair& pair, unsigned segments, Report& report) {
  const bool segmented = segments > 1;
  const Clock::duration time = segmented ? kSegmentedTime : kFloodTime;
  Config config;
  config.kube = KubeChoice::kOff;
  config.interfaces = {NetworkPair::kWatched};
  auto pipeline = Pipeline::start(config);
  if (!pipeline) return std::unexpected(pipeline.error());
  const auto arrived = flood(pair, segments, time);
  if (!arrived) return std::unexpected(arrived.error());
  const auto packets = segmented ? arrived->sent - arrived->dropped * segments : arrived->packets;
  const auto bytes = segmented ? packets * UdpFlood::kSegmentFrameBytes : arrived->bytes;
  wait_until_counted(**pipeline, packets);
  (*pipeline)->stop();
  const auto accounted = sum_of_ingress(*(*pipeline)->flows());
  if (accounted.packets > packets || accounted.bytes > bytes) {
    return fail(Errc::kInternal,
                "more was accounted than there was: " + std::to_string(accounted.packets) +
                    " packets of " + std::to_string(packets) + ", " +
                    std::to_string(accounted.bytes) + " bytes of " + std::to_string(bytes));
  }

  const std::string name = segmented ? "flood.udp_segment." : "flood.";
  const auto number = [&](const std::string& what, std::uint64_t value, const std::string& unit,
                          std::optional<double> bar = {}) {
    report.add({name + what, static_cast<double>(value), unit, bar});
  };
  number("packets_sent", arrived->sent, "packets");
  number("packets_at_interface", packets, "packets");
  number("packets_accounted", accounted.packets, "packets");
  number("packets_lost", packets - accounted.packets, "packets", 0);
  number("bytes_lost", bytes - accounted.bytes, "bytes", 0);
  report.add({name + "packets_per_second", rate(packets, time), "packets/s"});
  return {};
}

// Reads as the classic design does, until told to stop.
void read_classic(PacketRing& ring, const std::stop_token& stop) {
  auto next = Clock::now();
  while (!stop.stop_requested()) {
    ring.consume(kClassicBatch);
    next += kClassicPoll;
    std::this_thread::sleep_until(next);
  }
}

Result<void> measure_classic(const NetworkPair& pair, Report& report) {
  auto reference = ReferenceProbes::load(kClassicRingBytes);
  if (!reference) return std::unexpected(reference.error());
  std::uint64_t events = 0;
  auto ring = PacketRing::open(reference->ring_fd(), [&](auto) { ++events; });
  if (!ring) return std::unexpected(ring.error());
  const TcTarget target = {.ifindex = ::if_nametoindex(NetworkPair::kWatched),
                           .interface = NetworkPair::kWatched,
                           .direction = Direction::kIngress};
  auto attached = TcAttachment::attach(reference->ring_per_packet_fd(), target, TcMechanism::kAuto,
                                       TcPlace::kHead);
  if (!attached) return std::unexpected(attached.error());

  std::jthread reader([&](const std::stop_token& stop) { read_classic(*ring, stop); });
  const auto arrived = flood(pair, 1, kFloodTime);
  reader.request_stop();
  reader.join();
  if (!arrived) return std::unexpected(arrived.error());
  ring->consume(SIZE_MAX);  // what is still in the ring could yet be read: it is not lost

  const auto lost = static_cast<double>(arrived->packets - events);
  const auto all = static_cast<double>(arrived->packets);
  report.add({"flood.classic.packets_at_interface", all, "packets"});
  report.add({"flood.classic.packets_accounted", static_cast<double>(events), "packets"});
  report.add({"flood.classic.packets_lost", lost, "packets"});
  report.add({"flood.classic.lost_ratio", lost / all, "ratio"});
  report.add({"flood.classic.packets_per_second", rate(arrived->packets, kFloodTime), "packets/s"});
  return {};
}

}  // namespace

Result<void> measure_flood(Report& report) {
  auto pair = NetworkPair::make();
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  const auto sink = open_sink();
  if (!sink) return std::unexpected(sink.error());
  if (auto ok = measure_product(*pair, 1, report); !ok) return ok;
  if (auto ok = measure_product(*pair, kSegments, report); !ok) return ok;
  return measure_classic(*pair, report);
}

}  // namespace orb8::bench
