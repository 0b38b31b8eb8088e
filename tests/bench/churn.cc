// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/churn.h"

#include <fstream>
#include <utility>

namespace orb8::bench {
namespace {

// Each has all ephemeral ports for itself, so that the search for a free one stays short: clients
// do not bind theirs.
constexpr std::uint32_t kServers = 64;
constexpr auto kTimeWaits = "/proc/sys/net/ipv4/tcp_max_tw_buckets";

}  // namespace

Result<void> Churn::listen(std::uint32_t first_ip, std::uint32_t ip_step) {
  std::ofstream(kTimeWaits) << 1000 << std::flush;
  for (std::uint32_t i = 0; i < kServers; ++i) {
    auto server = listen_at(first_ip + i * ip_step);
    if (!server) return std::unexpected(server.error());
    servers_.push_back(std::move(*server));
  }
  return {};
}

Result<Churn> Churn::over_loopback() {
  Churn churn;
  if (auto ok = churn.listen(INADDR_LOOPBACK, 1); !ok) return std::unexpected(ok.error());
  return churn;
}

Result<Churn> Churn::between(const NetworkPair& pair) {
  Churn churn;
  auto ok = pair.at_sender([&] { return churn.listen(NetworkPair::kSenderIp, 0); });
  if (!ok) return std::unexpected(ok.error());
  return churn;
}

Result<std::uint64_t> Churn::run(std::chrono::steady_clock::duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  std::uint64_t done = 0;
  for (; std::chrono::steady_clock::now() < end; ++done) {
    const auto connection = connect_to(servers_[next_++ % servers_.size()]);
    if (!connection) return std::unexpected(connection.error());
    if (auto ok = converse(*connection); !ok) return std::unexpected(ok.error());
  }
  return done;
}

}  // namespace orb8::bench
