// A snapshot of more sockets than the kernel hands over in one go: each is told, and told once.
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/source/socket_source.h"
#include "tests/need.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/topology.h"

namespace orb8::netns {
namespace {

constexpr std::uint16_t kPort = 7000;
constexpr std::size_t kPairs = 8'500;  // 17,000 sockets; the probes hold 16,384 records

// Both ends of connections over loopback.
std::vector<UniqueFd> open_pairs(const NetNs& ns, std::size_t pairs) {
  const auto visit = ns.enter();
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(kPort);
  const auto* address = reinterpret_cast<const sockaddr*>(&at);
  const auto tcp = [] { return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); };
  const auto listener = tcp();
  EXPECT_EQ(::bind(listener.get(), address, sizeof(at)), 0);
  EXPECT_EQ(::listen(listener.get(), SOMAXCONN), 0);
  std::vector<UniqueFd> ends;
  for (std::size_t i = 0; i < pairs; ++i) {
    ends.push_back(tcp());
    if (::connect(ends.back().get(), address, sizeof(at)) != 0) break;
    ends.emplace_back(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  return ends;
}

// Beyond the hard limit only with CAP_SYS_RESOURCE.
bool allow_files(rlim_t count) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_max = std::max(limit.rlim_max, count);
  limit.rlim_cur = std::max(limit.rlim_cur, count);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

class SocketSnapshot : public NetnsTest {
 protected:
  // How many records of each socket of ours one snapshot has.
  static std::map<std::uint64_t, int> snapshot(FlowSource& source) {
    std::map<std::uint64_t, int> seen;
    const auto ok = source.collect([&](const FlowRecord& record) {
      const bool ours = record.key.src_port == kPort || record.key.dst_port == kPort;
      // A server's socket was not there yet when it sent its first packet.
      if (ours && record.key.direction == Direction::kIngress) ++seen[record.key.socket];
    });
    EXPECT_TRUE(ok);
    return seen;
  }
};

TEST_F(SocketSnapshot, TellsEachOfManySocketsOnce) {
  ORB8_NEED(allow_files(2 * kPairs + 500), "too few open files are allowed (ulimit -Hn)");

  auto source = SocketSource::open({.udp = false});
  ASSERT_TRUE(source) << source.error().what;
  const NetNs ns;
  const auto ends = open_pairs(ns, kPairs);
  ASSERT_EQ(ends.size(), 2 * kPairs);

  auto seen = snapshot(**source);
  for (const auto& [socket, times] : seen) ASSERT_EQ(times, 1) << socket;
  // One that others' closing sockets moved out of the walk's way comes with the next.
  EXPECT_GE(seen.size(), 2 * kPairs - 10);
  for (const auto& [socket, times] : snapshot(**source)) seen[socket] += times;
  EXPECT_EQ(seen.size(), 2 * kPairs);
}

}  // namespace
}  // namespace orb8::netns
