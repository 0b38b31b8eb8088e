// Connections of which a change of state met no program, or which there was no room to remember.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tests/netns/deaf_probes.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

const Addr kLoopback = Addr::v4(127, 0, 0, 1);

// One that was established while nobody looked, of a listener that is known.
struct UnseenChild {
  UnseenChild(const NetNs& ns, const UniqueFd& listener, std::uint16_t port)
      : ends{kLoopback, port, kLoopback, kPort},
        client(bound_socket(ns, SOCK_STREAM, 0, kLoopback, port)) {
    const DeafProbes deaf;
    connect_to(client.get(), kLoopback, kPort);
    server = UniqueFd(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  }

  Ends ends;
  UniqueFd client;
  UniqueFd server;
};

TEST_F(SocketSourceTest, TellsAListenersChildrenApartThatWereEstablishedUnseen) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort);
  must(::listen(listener.get(), 8), "listen");
  const UnseenChild one(ns, listener, 5001);
  const UnseenChild two(ns, listener, 5002);
  Connection::send(one.client, one.server, 100);
  Connection::send(two.client, two.server, 200);
  const auto first = watcher.flow(ns, one.ends, kTcp, Direction::kIngress, payload_of(100));
  EXPECT_EQ(first.key.socket, cookie_of(one.server));
  EXPECT_EQ(first.payload_bytes, 100U);
  EXPECT_EQ(first.socket.role, Role::kServer);
  const auto second = watcher.flow(ns, two.ends, kTcp, Direction::kIngress, payload_of(200));
  EXPECT_EQ(second.key.socket, cookie_of(two.server));
  EXPECT_EQ(second.payload_bytes, 200U);
}

TEST_F(SocketSourceTest, TellsTheEndOfAListenersChildThatWasEstablishedUnseen) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort);
  must(::listen(listener.get(), 8), "listen");
  std::optional<UnseenChild> child;
  child.emplace(ns, listener, 5001);
  Connection::send(child->client, child->server, 100);
  const auto cookie = cookie_of(child->server);
  const auto ends = child->ends;
  child.reset();
  const auto closed = watcher.flow(ns, ends, kTcp, Direction::kIngress,
                                   [](const Flow& flow) { return flow.life == FlowLife::kClosed; });
  EXPECT_EQ(closed.life, FlowLife::kClosed);
  EXPECT_EQ(closed.key.socket, cookie);
  EXPECT_EQ(closed.payload_bytes, 100U);
  EXPECT_EQ(closed.socket.role, Role::kServer);
}

// What a connection without a track had moved is known when it closes, and counted as lost.
TEST_F(SocketSourceTest, CountsConnectionsThatTheKernelHasNoMemoryToRemember) {
  const NetNs ns;
  ns.sh("sysctl -qw net.core.optmem_max=1");
  SocketWatcher watcher;
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  const auto outcome = transfer_tcp(ns, ns, ends, 100'000, 1000);
  watcher.read();
  EXPECT_TRUE(watcher.flows([&](const Flow& flow) { return flow.socket.netns == netns_inode(ns); })
                  .empty());
  EXPECT_GE(watcher.status().sockets_untracked, 4U) << "each end's opening, and its end";
  const auto& [client, server, port] = outcome;
  EXPECT_GE(watcher.accounting().lost.packets, client.tcpi_segs_out + client.tcpi_segs_in +
                                                   server.tcpi_segs_out + server.tcpi_segs_in);
  EXPECT_GE(watcher.accounting().lost.bytes, 2U * 101'000);
}

}  // namespace
}  // namespace orb8::netns
