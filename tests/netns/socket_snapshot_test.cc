// A snapshot of more sockets than the kernel hands over in one go: each is told, and told once; and
// one that looks at all of them finds each that is open, whatever closes meanwhile.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
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
#include "tests/netns/sockets.h"
#include "tests/netns/topology.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kPairs = 4'500;  // 9,000 sockets; a walk pauses after each 4,096 records
constexpr std::size_t kOtherPairs = 1'000;

// Both ends of connections over loopback.
std::vector<UniqueFd> open_pairs(const NetNs& ns, std::size_t pairs) {
  const auto loopback = Addr::v4(127, 0, 0, 1);
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, loopback, kPort);
  must(::listen(listener.get(), 1), "listen");
  std::vector<UniqueFd> ends;
  for (std::size_t i = 0; i < pairs; ++i) {
    ends.push_back(bound_socket(ns, SOCK_STREAM, 0, loopback, 0));
    connect_to(ends.back().get(), loopback, kPort);
    ends.emplace_back(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  }
  return ends;
}

class SocketSnapshot : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ORB8_NEED(allow_files(2 * (kPairs + kOtherPairs) + 500),
              "too few open files are allowed (ulimit -Hn)");
  }

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
  auto source = SocketSource::open({.udp = false});
  ASSERT_TRUE(source) << source.error().what;
  const NetNs ns;
  const auto ends = open_pairs(ns, kPairs);

  auto seen = snapshot(**source);
  for (const auto& [socket, times] : seen) ASSERT_EQ(times, 1) << socket;
  // One that others' closing sockets moved out of the walk's way comes with the next.
  EXPECT_GE(seen.size(), 2 * kPairs - 10);
  for (const auto& [socket, times] : snapshot(**source)) seen[socket] += times;
  EXPECT_EQ(seen.size(), 2 * kPairs);
}

// The kernel finds its way back after a pause by counting: each that has gone from among those that
// it has passed makes it pass one more.
TEST_F(SocketSnapshot, FindsAllThatAreOpenThoughOthersCloseInItsPauses) {
  auto source = SocketSource::open({.udp = false, .census_every_ns = 0});
  ASSERT_TRUE(source) << source.error().what;
  const NetNs ns;
  const auto ends = open_pairs(ns, kPairs);
  auto others = open_pairs(ns, kOtherPairs);  // the walk begins with the youngest
  for (const auto& end : others) reset_when_closed(end);

  EXPECT_TRUE((*source)->collect([&](const FlowRecord&) { others.clear(); }));
  const auto* living = (*source)->living_sockets();
  ASSERT_NE(living, nullptr);
  const auto missing = std::ranges::count_if(
      ends, [&](const UniqueFd& end) { return !living->contains(cookie_of(end)); });
  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace orb8::netns
