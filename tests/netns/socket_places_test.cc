// Wherever the kernel side keeps what it remembers of a connection, it says the same of it.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::uint16_t kFirstPort = 5001;
constexpr std::size_t kConnections = 20;

// The parameter: the logarithm of the number of slots. None; two, so that most find them taken; and
// as many as there are by default.
class SocketPlaces : public SocketSourceTest, public testing::WithParamInterface<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Slots, SocketPlaces, testing::Values(0U, 1U, 13U),
                         [](const auto& one) { return "Bits" + std::to_string(one.param); });

TEST_P(SocketPlaces, TellEachConnectionWhileItIsOpenAndWhenItCloses) {
  auto options = SocketWatcher::options();
  options.slot_bits = GetParam();
  SocketWatcher watcher(options);
  const NetNs ns;
  const std::array loopback = {Addr::v4(127, 0, 0, 1), *parse_addr("::1")};
  struct Open {
    Ends ends;
    std::unique_ptr<Connection> connection;
    std::size_t bytes = 0;
  };
  std::vector<Open> all;
  for (std::size_t i = 0; i < kConnections; ++i) {
    const auto& at = loopback.at(i % 2);
    const Ends ends{at, static_cast<std::uint16_t>(kFirstPort + i), at,
                    static_cast<std::uint16_t>(kPort + i)};
    all.push_back({ends, std::make_unique<Connection>(ns, ns, ends), 100 + i});
    Connection::send(all.back().connection->client, all.back().connection->server, 100 + i);
  }
  const auto expect = [&](const Open& one, const SocketWatcher::ReadyFn& ready, FlowLife life) {
    const auto sent = watcher.flow(ns, one.ends, kTcp, Direction::kEgress, ready);
    EXPECT_EQ(sent.payload_bytes, one.bytes);
    EXPECT_EQ(sent.life, life);
    EXPECT_EQ(sent.socket.role, Role::kClient);
    EXPECT_EQ(sent.owners->local->pid, static_cast<std::uint32_t>(::getpid()));
    const auto received = watcher.flow(ns, one.ends, kTcp, Direction::kIngress, ready);
    EXPECT_EQ(received.payload_bytes, one.bytes);
    EXPECT_EQ(received.life, life);
    EXPECT_EQ(received.socket.role, Role::kServer);
    EXPECT_EQ(received.owners->local->pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_NE(received.key.socket, sent.key.socket);
  };
  for (const auto& one : all) expect(one, payload_of(one.bytes), FlowLife::kOpen);
  for (int i = 0; i < 3; ++i) watcher.read();  // which find each at its place, and leave it there
  for (const auto& one : all) {
    Connection::send(one.connection->client, one.connection->server, 1);
    const auto more = payload_of(one.bytes + 1);
    const auto received = watcher.flow(ns, one.ends, kTcp, Direction::kIngress, more);
    EXPECT_EQ(received.payload_bytes, one.bytes + 1);
    EXPECT_EQ(received.key.socket, cookie_of(one.connection->server));
  }
  for (auto& one : all) {
    ++one.bytes;
    one.connection.reset();
  }
  const auto over = [](const Flow& flow) { return flow.life == FlowLife::kClosed; };
  for (const auto& one : all) expect(one, over, FlowLife::kClosed);
  EXPECT_EQ(watcher.accounting().lost.packets, 0U);
}

TEST_P(SocketPlaces, TellApartTheConnectionsOfASocketThatCallsTwice) {
  auto options = SocketWatcher::options();
  options.slot_bits = GetParam();
  SocketWatcher watcher(options);
  const NetNs ns;
  const auto loopback = Addr::v4(127, 0, 0, 1);
  const Ends first{loopback, kFirstPort, loopback, kPort};
  Connection connection(ns, ns, first);
  Connection::send(connection.client, connection.server, 100);
  const sockaddr nobody = {.sa_family = AF_UNSPEC, .sa_data = {}};
  must(::connect(connection.client.get(), &nobody, sizeof(nobody)), "disconnect");
  const auto closed = watcher.flow(ns, first, kTcp, Direction::kEgress,
                                   [](const Flow& flow) { return flow.life == FlowLife::kClosed; });
  EXPECT_EQ(closed.life, FlowLife::kClosed);
  EXPECT_EQ(closed.payload_bytes, 100U);

  const auto listener = bound_socket(ns, SOCK_STREAM, 0, loopback, kPort + 1);
  must(::listen(listener.get(), 1), "listen");
  connect_to(connection.client.get(), loopback, kPort + 1);
  const UniqueFd server(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  Connection::send(connection.client, server, 30);
  const Ends second{loopback, local_port(connection.client.get()), loopback, kPort + 1};
  const auto open = watcher.flow(ns, second, kTcp, Direction::kEgress, payload_of(30));
  EXPECT_EQ(open.life, FlowLife::kOpen);
  EXPECT_EQ(open.payload_bytes, 30U);
  EXPECT_EQ(open.key.socket, closed.key.socket);
}

}  // namespace
}  // namespace orb8::netns
