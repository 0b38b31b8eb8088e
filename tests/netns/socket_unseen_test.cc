// Connections of which a change of state met no program, or which there was no room to remember.
// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/eventually.h"
#include "tests/named_map.h"
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

// By a walk of all descriptors, which comes with the look at all sockets.
TEST_F(SocketSourceTest, FindsConnectionsThatWereEstablishedUnseen) {
  auto options = SocketWatcher::options();
  options.census_every_ns = 0;
  options.find_every_ns = 0;
  SocketWatcher watcher(options);
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
  EXPECT_EQ(first.owners->local->pid, static_cast<std::uint32_t>(::getpid()));
  const auto called = watcher.flow(ns, one.ends, kTcp, Direction::kEgress, payload_of(100));
  EXPECT_EQ(called.payload_bytes, 100U) << "the SYN is none";
  EXPECT_EQ(called.socket.role, Role::kClient);
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
  EXPECT_EQ(closed.owners->local->pid, static_cast<std::uint32_t>(::getpid())) << "the listener's";
}

TEST_F(SocketSourceTest, KnowsListenersThatFoundTheRingFull) {
  constexpr std::uint16_t kListeners = 60;
  auto options = SocketWatcher::options();
  options.ring_bytes = 4096;                                         // of a third of them
  options.find_every_ns = std::numeric_limits<std::int64_t>::max();  // which finds them as well
  SocketWatcher watcher(options);
  const NetNs ns;
  std::vector<UniqueFd> listeners;
  for (std::uint16_t i = kListeners; i-- > 0;) {
    listeners.push_back(bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort + i));
    must(::listen(listeners.back().get(), 8), "listen");
  }
  watcher.read();
  std::optional<UnseenChild> child(std::in_place, ns, listeners.back(), 5001);
  Connection::send(child->client, child->server, 100);
  const auto ends = child->ends;
  child.reset();
  const auto accepted = watcher.flow(ns, ends, kTcp, Direction::kIngress, payload_of(100));
  EXPECT_EQ(accepted.socket.role, Role::kServer);
}

// Of this process's probes.
NamedMap own_map(std::string_view name) {
  auto map = find_map(::getpid(), name);
  if (!map) throw std::runtime_error("there is no map " + std::string(name));
  return std::move(*map);
}

bool is_kept(std::uint64_t listener) {
  const auto map = own_map("orb8_listeners");
  std::vector<std::byte> value(map.info.value_size);
  return bpf_map_lookup_elem(map.fd.get(), &listener, value.data()) == 0;
}

TEST_F(SocketSourceTest, ForgetsAListenerThatStoppedUnseen) {
  const SocketWatcher watcher;
  const NetNs ns;
  auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort);
  must(::listen(listener.get(), 8), "listen");
  const auto cookie = cookie_of(listener);
  EXPECT_TRUE(is_kept(cookie));
  {
    const DeafProbes deaf({"inet_sock_set_state"});
    listener = UniqueFd();
  }
  EXPECT_FALSE(is_kept(cookie));
}

// The kernel chooses a port when it has told already that the socket listens.
TEST_F(SocketSourceTest, KnowsAListenerThatWasNotBound) {
  auto options = SocketWatcher::options();
  options.census_every_ns = 0;
  options.find_every_ns = 0;
  SocketWatcher watcher(options);
  const NetNs ns;
  const auto listener = [&] {
    const auto here = ns.enter();
    return UniqueFd(must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  }();
  must(::listen(listener.get(), 8), "listen");
  const Ends ends{kLoopback, 5001, kLoopback, local_port(listener.get())};
  const auto client = bound_socket(ns, SOCK_STREAM, 0, kLoopback, ends.src_port);
  UniqueFd server;
  {
    const DeafProbes deaf;
    connect_to(client.get(), kLoopback, ends.dst_port);
    server = UniqueFd(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  }
  Connection::send(client, server, 100);
  const auto is_servers = [](const Flow& flow) { return flow.socket.role == Role::kServer; };
  const auto accepted = watcher.flow(ns, ends, kTcp, Direction::kIngress, is_servers);
  EXPECT_EQ(accepted.socket.role, Role::kServer);
}

// When the kernel gives the sockets up.
TEST_F(SocketSourceTest, TellsEndsThatWereUnseen) {
  SocketWatcher watcher;
  const NetNs ns;
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  std::optional<Connection> connection(std::in_place, ns, ns, ends);
  Connection::send(connection->client, connection->server, 100);
  const auto cookie = cookie_of(connection->client);
  {
    const DeafProbes deaf({"inet_sock_set_state"});
    connection.reset();
  }
  const auto over = [](const Flow& flow) { return flow.life == FlowLife::kClosed; };
  const auto sent = watcher.flow(ns, ends, kTcp, Direction::kEgress, over);
  EXPECT_EQ(sent.life, FlowLife::kClosed);
  EXPECT_EQ(sent.payload_bytes, 100U);
  EXPECT_EQ(sent.key.socket, cookie);
  const auto received = watcher.flow(ns, ends, kTcp, Direction::kIngress, over);
  EXPECT_EQ(received.life, FlowLife::kClosed);
  EXPECT_EQ(received.payload_bytes, 100U);
}

TEST_F(SocketSourceTest, TellsASocketsSecondConnectionThatOpenedUnseen) {
  SocketWatcher watcher;
  const NetNs ns;
  const Ends first{kLoopback, 5001, kLoopback, kPort};
  Connection connection(ns, ns, first);
  const sockaddr nobody = {.sa_family = AF_UNSPEC, .sa_data = {}};
  must(::connect(connection.client.get(), &nobody, sizeof(nobody)), "disconnect");
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort + 1);
  must(::listen(listener.get(), 1), "listen");
  UniqueFd server;
  {
    const DeafProbes deaf;
    connect_to(connection.client.get(), kLoopback, kPort + 1);
    server = UniqueFd(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  }
  const Ends second{kLoopback, local_port(connection.client.get()), kLoopback, kPort + 1};
  Connection::send(connection.client, server, 30);
  connection.client = UniqueFd();
  server = UniqueFd();
  const auto sent = watcher.flow(ns, second, kTcp, Direction::kEgress,
                                 [](const Flow& flow) { return flow.life == FlowLife::kClosed; });
  EXPECT_EQ(sent.life, FlowLife::kClosed);
  EXPECT_EQ(sent.payload_bytes, 30U);
}

// How many of these sockets have a slot: a socket's address, its track, and there first its cookie.
std::size_t slots_of(const std::set<std::uint64_t>& cookies) {
  const auto map = own_map("orb8_tcp_slots");
  std::size_t slots = 0;
  std::vector<std::uint64_t> slot(map.info.value_size / sizeof(std::uint64_t));
  for (std::uint32_t key = 0; key < map.info.max_entries; ++key) {
    must(bpf_map_lookup_elem(map.fd.get(), &key, slot.data()), "read a slot");
    if (slot[0] != 0 && cookies.contains(slot[1])) ++slots;
  }
  return slots;
}

TEST_F(SocketSourceTest, FreesTheSlotOfASocketThatWasGivenUpUnseen) {
  SocketWatcher watcher;
  const NetNs ns;
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  std::optional<Connection> connection(std::in_place, ns, ns, ends);
  const std::set<std::uint64_t> ours = {cookie_of(connection->client),
                                        cookie_of(connection->server)};
  const auto kept = [&] { return slots_of(ours); };
  EXPECT_EQ(kept(), 2U);
  {
    const DeafProbes deaf;
    connection.reset();
  }
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return kept() == 0;
  }));
}

// What a connection without a track had moved is known when it closes, and counted as lost.
TEST_F(SocketSourceTest, CountsConnectionsThatTheKernelHasNoMemoryToRemember) {
  const NetNs ns;
  ns.sh("sysctl -qw net.core.optmem_max=1");
  auto options = SocketWatcher::options();
  options.slot_bits = 0;
  SocketWatcher watcher(options);
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
