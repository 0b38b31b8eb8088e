// How much a packet counts.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <sys/stat.h>

#include <barrier>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "core/base/mounts.h"
#include "core/kernel/flow_maps.h"
#include "tests/bpf/probe_run.h"
#include "tests/need.h"

namespace orb8 {
namespace {

constexpr std::size_t kTcpHeaders = 14 + 20 + 20;

class Count : public ProbeRun {};

TEST_F(Count, AddsUpPacketsAndBytesOfOneFlow) {
  run(udp4(10));
  run(udp4(1000));
  const auto stats = flow(v4_flow(IPPROTO_UDP, 4242, 53));
  EXPECT_EQ(stats.packets, 2U);
  EXPECT_EQ(stats.bytes, udp4(10).size() + udp4(1000).size());
  EXPECT_EQ(stats.anchor, ORB8_HOOK(kLoopback, ORB8_INGRESS));
  EXPECT_EQ(stats.dir, ORB8_INGRESS);
}

TEST_F(Count, KeepsEveryTcpFlagOfOnePacket) {
  run(tcp4(0xff));
  const auto stats = flow(v4_flow(IPPROTO_TCP, 4242, 80));
  EXPECT_EQ(stats.tcp_flags, 0xff);
  for (const auto seen : stats.flag_seen) EXPECT_EQ(seen, 1);
}

TEST_F(Count, CollectsTcpFlagsOverPackets) {
  for (unsigned bit = 0; bit < 8; ++bit) {
    run(tcp4(static_cast<std::uint8_t>(1U << bit)));
    EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).tcp_flags, (2U << bit) - 1);
  }
}

TEST_F(Count, CountsAGsoPacketBySegmentsAndWireBytes) {
  RunOptions options;
  options.gso_size = 500;
  options.gso_segs = 5;
  run(tcp4(0x10, 2300), options);
  const auto stats = flow(v4_flow(IPPROTO_TCP, 4242, 80));
  EXPECT_EQ(stats.packets, 5U);
  EXPECT_EQ(stats.bytes, 2300 + 5 * kTcpHeaders);
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 5U);
  EXPECT_EQ(tally(ORB8_COUNTED).bytes, 2300 + 5 * kTcpHeaders);
}

TEST_F(Count, WorksOutSegmentsThatNobodyCounted) {
  RunOptions options;
  options.gso_size = 500;
  run(tcp4(0x10, 2001), options);
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).packets, 5U);
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).bytes, 2001 + 5 * kTcpHeaders);
}

TEST_F(Count, BelievesTheStackAboutATunnelsInnerHeadersOnEgress) {
  RunOptions options;
  options.direction = Direction::kEgress;
  options.gso_size = 1000;
  options.gso_segs = 3;
  options.wire_len = 3500;
  run(tcp4(0x10, 3000 - kTcpHeaders), options);
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).bytes, 3500U);
}

TEST_F(Count, LeavesAGsoPacketWithoutPayloadOne) {
  run(tcp4(0x10), {.gso_size = 500, .gso_segs = 5});
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).packets, 1U);
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).bytes, tcp4(0x10).size());
}

TEST_F(Count, DatesAFlow) {
  run(tcp4(0x02));
  const auto first = flow(v4_flow(IPPROTO_TCP, 4242, 80));
  run(tcp4(0x10));
  const auto last = flow(v4_flow(IPPROTO_TCP, 4242, 80));
  EXPECT_GT(first.first_ns, 0U);
  EXPECT_EQ(last.first_ns, first.first_ns) << "tells this entry from a later one of the same key";
  EXPECT_GE(last.last_jiffies, first.last_jiffies);
}

// The cgroup v2 that this test runs in: the kernel takes the id from the sending socket.
std::uint64_t own_cgroup_id() {
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::")) continue;
    struct stat directory = {};
    if (::stat((find_cgroup2_mount("") + line.substr(3)).c_str(), &directory) != 0) return 0;
    return directory.st_ino;
  }
  return 0;
}

TEST_F(Count, NotesTheSendersCgroupOnEgressAlone) {
  const auto cgroup_id = own_cgroup_id();
  ORB8_NEED(cgroup_id != 0, "no cgroup v2 is mounted here");
  run(tcp4(0x02), {.direction = Direction::kEgress});
  EXPECT_EQ(flow(v4_flow(IPPROTO_TCP, 4242, 80)).cgroup_id, cgroup_id);
  run(udp4(), {.direction = Direction::kIngress});
  EXPECT_EQ(flow(v4_flow(IPPROTO_UDP, 4242, 53)).cgroup_id, 0U);
}

class CountAtOnce : public ProbeRun {
 protected:
  static constexpr unsigned kThreads = 4;

  static void at_once(const std::function<void(unsigned thread)>& work) {
    std::barrier start(kThreads);
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        work(i);
      });
    }
  }
};

TEST_F(CountAtOnce, LosesNoPacketAndNoFlagOfOneFlow) {
  constexpr unsigned kRuns = 200;  // a plain add in place of the atomic one loses some
  constexpr unsigned kRepeat = 5000;
  at_once([&](unsigned thread) {
    for (unsigned i = 0; i < kRuns; ++i) {
      const auto flags = static_cast<std::uint8_t>(1U << (thread + (i % 2) * kThreads));
      run(tcp4(flags, 10), {.repeat = kRepeat});
    }
  });
  const auto stats = flow(v4_flow(IPPROTO_TCP, 4242, 80));
  EXPECT_EQ(stats.packets, std::uint64_t{kThreads} * kRuns * kRepeat);
  EXPECT_EQ(stats.bytes, stats.packets * tcp4(0, 10).size());
  EXPECT_EQ(tcp_flags_of(stats), 0xff);
  EXPECT_EQ(tally(ORB8_COUNTED).packets, stats.packets);
  EXPECT_EQ(tally(ORB8_COUNTED).bytes, stats.bytes);
}

TEST_F(CountAtOnce, LosesNoPacketOfFlowsThatBegin) {
  constexpr std::uint16_t kFlows = 5000;
  at_once([&](unsigned) {
    for (std::uint16_t port = 1; port <= kFlows; ++port) {
      run(Packet().ethernet(0x0800).ipv4({}).udp(port, 53));
    }
  });
  EXPECT_EQ(flow_count(), kFlows);
  for (std::uint16_t port = 1; port <= kFlows; ++port) {
    ASSERT_EQ(flow(v4_flow(IPPROTO_UDP, port, 53)).packets, kThreads) << port;
  }
}

}  // namespace
}  // namespace orb8
