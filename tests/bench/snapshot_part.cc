// What one snapshot of many live connections takes: when all have moved since the last, and when
// none has.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mounts.h"
#include "core/source/socket_source.h"
#include "tests/bench/live_connections.h"
#include "tests/bench/network_pair.h"
#include "tests/bench/parts.h"
#include "tests/bench/thread_clock.h"

namespace orb8::bench {
namespace {

constexpr int kRounds = 11;
constexpr auto kLateAcks = std::chrono::milliseconds(300);  // TCP_DELACK_MAX is 200

struct Size {
  std::size_t sockets;
  const char* name;
  double bar_ms;  // when all of them moved
};
constexpr std::array kSizes = {Size{10'000, "10k", 25}, Size{100'000, "100k", 300}};

struct Snapshot {
  double cpu_ms = 0;
  std::size_t records = 0;
};

Result<Snapshot> take(FlowSource& source) {
  Snapshot snapshot;
  const double start_ns = thread_cpu_ns();
  const auto ok = source.collect([&](const FlowRecord&) { ++snapshot.records; });
  snapshot.cpu_ms = (thread_cpu_ns() - start_ns) / 1e6;
  if (!ok) return std::unexpected(ok.error());
  return snapshot;
}

// Last records wait in the ring, and are none of a snapshot's.
void drain(FlowSource& source) {
  while (source.handle_ready(SIZE_MAX, [](const auto&) {}, [](const auto&) {}) != 0) {
  }
}

Result<void> measure(const Size& size, Report& report) {
  auto source = SocketSource::open({.cgroup_mount = find_cgroup2_mount("")});
  if (!source) return std::unexpected(source.error());
  auto connections = LiveConnections::open(size.sockets);
  if (!connections) return std::unexpected(connections.error());
  std::vector<double> moved;
  std::vector<double> still;
  for (int round = 0; round < kRounds; ++round) {
    if (auto ok = connections->move_all(); !ok) return ok;
    drain(**source);
    const auto first = take(**source);
    if (!first) return std::unexpected(first.error());
    std::this_thread::sleep_for(kLateAcks);
    if (const auto late = take(**source); !late) return std::unexpected(late.error());
    const auto second = take(**source);
    if (!second) return std::unexpected(second.error());
    // Each socket sent and received. Sockets of others that open and close meanwhile may move one
    // out of a walk's way until the next, and may have moved themselves.
    if (first->records < 2 * size.sockets * 999 / 1000 || second->records > size.sockets / 100) {
      return fail(Errc::kInternal, "snapshots of " + std::to_string(size.sockets) +
                                       " sockets had " + std::to_string(first->records) + " and " +
                                       std::to_string(second->records) + " records");
    }
    moved.push_back(first->cpu_ms);
    still.push_back(second->cpu_ms);
  }
  const auto name = std::string("snapshot.") + size.name;
  report.add({name + "_all_moved", median(moved), "ms CPU", size.bar_ms});
  report.add({name + "_all_moved.max", quantile(moved, 1), "ms CPU"});
  report.add({name + "_none_moved", median(still), "ms CPU"});
  return {};
}

}  // namespace

Result<void> measure_snapshot(Report& report) {
  const auto pair = NetworkPair::make();  // for a namespace with nothing else in it
  if (!pair) return std::unexpected(pair.error());
  if (auto ok = pair->enter_watched(); !ok) return ok;
  for (const auto& size : kSizes) {
    if (auto ok = measure(size, report); !ok) return ok;
  }
  return {};
}

}  // namespace orb8::bench
