// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/socket_pairs.h"

#include <gtest/gtest.h>

#include <memory>

namespace orb8 {
namespace {

const Addr kNode = Addr::v4(192, 168, 0, 1);
const Addr kLoopback = Addr::v4(127, 0, 0, 1);
constexpr std::uint32_t kNetns = 7;

OwnerRef owner(std::uint32_t pid) {
  Owner made;
  made.pid = pid;
  return std::make_shared<const Owner>(std::move(made));
}

FlowKey client(const Addr& addr, Direction direction, std::uint64_t socket = 1) {
  FlowKey key{.src = addr,
              .dst = addr,
              .src_port = 40000,
              .dst_port = 80,
              .protocol = 6,
              .direction = direction,
              .socket = socket};
  if (direction == Direction::kIngress) std::swap(key.src_port, key.dst_port);
  return key;
}

FlowKey server(const Addr& addr, Direction direction, std::uint64_t socket = 2) {
  auto key = client(addr, direction, socket);
  std::swap(key.src_port, key.dst_port);
  return key;
}

TEST(SocketPairs, FindsTheOtherEndByEachDirectionsFlow) {
  for (const auto here : {Direction::kIngress, Direction::kEgress}) {
    for (const auto there : {Direction::kIngress, Direction::kEgress}) {
      SocketPairs pairs;
      EXPECT_FALSE(pairs.add(client(kNode, here), kNetns, owner(10)));
      const auto other = pairs.add(server(kNode, there), kNetns + 1, owner(20));
      ASSERT_TRUE(other);
      EXPECT_EQ(other->owner->pid, 10U);
      EXPECT_EQ(other->socket, 1U);
      EXPECT_EQ(pairs.add(client(kNode, here), kNetns, owner(10))->owner->pid, 20U);
      EXPECT_EQ(pairs.size(), 2U);
    }
  }
}

TEST(SocketPairs, MatchesLoopbackWithinANamespaceOnly) {
  SocketPairs pairs;
  pairs.add(client(kLoopback, Direction::kEgress), kNetns, owner(10));
  EXPECT_FALSE(pairs.add(server(kLoopback, Direction::kEgress), kNetns + 1, owner(20)));
  EXPECT_TRUE(pairs.add(server(kLoopback, Direction::kEgress, 3), kNetns, owner(30)));
}

TEST(SocketPairs, DoesNotTakeASocketThatTalksToItselfForTwo) {
  SocketPairs pairs;
  auto key = client(kNode, Direction::kEgress);
  key.dst_port = key.src_port;
  EXPECT_FALSE(pairs.add(key, kNetns, owner(10)));
}

TEST(SocketPairs, ForgetsAnEndUnlessAnotherSocketHasItsPlace) {
  SocketPairs pairs;
  pairs.add(client(kNode, Direction::kEgress), kNetns, owner(10));
  pairs.remove(client(kNode, Direction::kEgress, 9), kNetns);
  EXPECT_EQ(pairs.size(), 1U);
  pairs.remove(client(kNode, Direction::kIngress), kNetns);
  EXPECT_EQ(pairs.size(), 0U);
  EXPECT_FALSE(pairs.add(server(kNode, Direction::kEgress), kNetns, owner(20)));
}

}  // namespace
}  // namespace orb8
