// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/churn.h"

#include <fstream>
#include <utility>

namespace orb8::bench {
namespace {

// Each has all ephemeral ports for itself, so that the search for a free one stays short.
constexpr std::uint32_t kServers = 64;
constexpr auto kTimeWaits = "/proc/sys/net/ipv4/tcp_max_tw_buckets";

}  // namespace

Result<Churn> Churn::open() {
  std::ofstream(kTimeWaits) << 1000 << std::flush;
  Churn churn;
  for (std::uint32_t i = 0; i < kServers; ++i) {
    auto server = listen_at(INADDR_LOOPBACK + i);
    if (!server) return std::unexpected(server.error());
    churn.servers_.push_back(std::move(*server));
  }
  return churn;
}

Result<std::uint64_t> Churn::run(std::chrono::steady_clock::duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  std::uint64_t done = 0;
  for (; std::chrono::steady_clock::now() < end; ++done) {
    if (auto ok = run_one(); !ok) return std::unexpected(ok.error());
  }
  return done;
}

Result<void> Churn::run(std::uint64_t connections) {
  for (; connections > 0; --connections) {
    if (auto ok = run_one(); !ok) return ok;
  }
  return {};
}

Result<void> Churn::run_one() {
  const auto connection = connect_to(servers_[next_++ % servers_.size()]);
  if (!connection) return std::unexpected(connection.error());
  return converse(*connection);
}

}  // namespace orb8::bench
