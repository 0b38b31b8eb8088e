// TCP read from the sockets: both ends of a connection, with what the kernel itself says of them.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kBulk = 20'000'000;

bool is_over(const Flow& flow) {
  return flow.life == FlowLife::kClosed;
}

bool is_open(const Flow& flow) {
  return flow.life == FlowLife::kOpen;
}

class SocketTcpTest : public SocketPairTest {};

INSTANTIATE_TEST_SUITE_P(BothFamilies, SocketTcpTest, testing::Values(AF_INET, AF_INET6),
                         family_name);

TEST_P(SocketTcpTest, TellsOfBothEndsWhatTheKernelSaysToThem) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  const auto outcome = transfer_tcp(a().ns, b().ns, ends, kBulk, 1000);

  const auto sent = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, is_over);
  const auto answered = watcher.flow(a().ns, ends.reversed(), kTcp, Direction::kIngress, is_over);
  EXPECT_EQ(sent.payload_bytes, kBulk);
  EXPECT_EQ(answered.payload_bytes, 1000U);
  EXPECT_EQ(sent.packets, outcome.client.tcpi_segs_out);
  EXPECT_EQ(answered.packets, outcome.client.tcpi_segs_in);
  EXPECT_EQ(sent.socket.retransmits, outcome.client.tcpi_total_retrans);
  EXPECT_EQ(sent.socket.retransmitted_bytes, outcome.client.tcpi_bytes_retrans);
  EXPECT_EQ(sent.socket.role, Role::kClient);
  EXPECT_EQ(sent.socket.rtt_us, outcome.client.tcpi_rtt);
  EXPECT_EQ(sent.socket.min_rtt_us, outcome.client.tcpi_min_rtt);
  EXPECT_EQ(failure_of(sent.socket), "");

  const auto received = watcher.flow(b().ns, ends, kTcp, Direction::kIngress, is_over);
  const auto answer = watcher.flow(b().ns, ends.reversed(), kTcp, Direction::kEgress, is_over);
  EXPECT_EQ(received.payload_bytes, kBulk);
  EXPECT_EQ(answer.payload_bytes, 1000U);
  EXPECT_EQ(received.packets, outcome.server.tcpi_segs_in);
  EXPECT_EQ(answer.packets, outcome.server.tcpi_segs_out + 1) << "and the answer to the SYN";
  EXPECT_EQ(received.socket.role, Role::kServer);
}

TEST_P(SocketTcpTest, EstimatesTheWireBytesOfABulkTransfer) {
  SocketWatcher watcher;
  const auto before = a().counters();
  const auto ends = a_to_b();
  transfer_tcp(a().ns, b().ns, ends, kBulk, 0);
  const auto sent = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, is_over);
  const auto received = watcher.flow(b().ns, ends, kTcp, Direction::kIngress, is_over);
  // The interface counts a GSO packet's headers once; the sum over its segments is the wire's. So
  // without offloads: see SourcesAgree. Here: payload plus headers, from segments.
  const auto counted = a().counters().tx.bytes - before.tx.bytes;
  EXPECT_GT(sent.bytes, counted * 98 / 100);
  EXPECT_EQ(sent.bytes - kBulk - sent.socket.retransmitted_bytes,
            sent.packets * (kEthernet + ip_header(ends.dst) + 32));
  const auto once = static_cast<double>(sent.bytes - sent.socket.retransmitted_bytes);
  EXPECT_NEAR(static_cast<double>(received.bytes), once, once * 0.02);
}

TEST_P(SocketTcpTest, SeesAConnectionWhileItIsOpen) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  const Connection connection(a().ns, b().ns, ends);
  Connection::send(connection.client, connection.server, 1234);
  const auto sent = watcher.flow(a().ns, ends, kTcp, Direction::kEgress,
                                 [](const Flow& flow) { return flow.payload_bytes == 1234; });
  EXPECT_TRUE(is_open(sent));
  EXPECT_EQ(sent.payload_bytes, 1234U);
  EXPECT_EQ(tcp_state_name(sent.socket.state), "ESTABLISHED");
  EXPECT_EQ(sent.owners->local->pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(sent.owners->local->comm, "netns_socket_tc");
  EXPECT_GT(sent.socket.cwnd, 0U);
}

TEST_P(SocketTcpTest, FindsConnectionsThatWereThereBeforeIt) {
  const auto ends = a_to_b();
  const Connection connection(a().ns, b().ns, ends);
  Connection::send(connection.client, connection.server, 5000);
  SocketWatcher watcher;
  Connection::send(connection.client, connection.server, 700);

  const auto sent = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, payload_of(700));
  EXPECT_EQ(sent.payload_bytes, 700U) << "what moved before is somebody else's";
  EXPECT_EQ(sent.socket.role, Role::kClient);
  EXPECT_EQ(sent.owners->local->pid, static_cast<std::uint32_t>(::getpid()));
  const auto received = watcher.flow(b().ns, ends, kTcp, Direction::kIngress, payload_of(700));
  EXPECT_EQ(received.payload_bytes, 700U);
  EXPECT_EQ(received.socket.role, Role::kServer) << "somebody listens at that port";
}

TEST_P(SocketTcpTest, MissesNoneOfThousandsOfShortConnections) {
  constexpr std::size_t kConnections = 10'000;
  SocketWatcher watcher;
  const auto listener = bound_socket(b().ns, SOCK_STREAM, 0, b_addr(), kPort);
  must(::listen(listener.get(), 128), "listen");
  std::thread serve([&] {
    char bytes[16];
    for (std::size_t i = 0; i < kConnections; ++i) {
      const UniqueFd peer(
          must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
      must(::recv(peer.get(), bytes, sizeof(bytes), MSG_WAITALL), "recv");
    }
  });
  for (std::size_t i = 0; i < kConnections; ++i) {
    const auto fd = bound_socket(a().ns, SOCK_STREAM, 0, a_addr(), 0);
    connect_to(fd.get(), b_addr(), kPort);
    must(::send(fd.get(), "0123456789abcdef", 16, 0), "send");
    if (i % 100 == 99) watcher.read();
  }
  serve.join();

  const auto inode = netns_inode(a().ns);
  const auto clients = [&](const Flow& flow) {
    return flow.socket.netns == inode && flow.key.dst_port == kPort &&
           flow.key.direction == Direction::kEgress;
  };
  std::size_t count = 0;
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    const auto all = watcher.flows(clients);
    count = all.size();
    return count == kConnections && std::ranges::all_of(all, is_over);
  })) << count;
  std::uint64_t payload = 0;
  for (const auto& flow : watcher.flows(clients)) payload += flow.payload_bytes;
  EXPECT_EQ(payload, 16 * kConnections);
  EXPECT_EQ(watcher.accounting().lost.packets, 0U);
  EXPECT_EQ(watcher.status().sockets_untracked, 0U);
}

// Nothing else tells of them here: no snapshot is taken while they are open. They are all alike (a
// reset crosses nothing, as two FINs may), so those that are told say what the others had.
TEST_P(SocketTcpTest, CountsTheLastWordsThatFindNoRoom) {
  constexpr std::size_t kConnections = 4000;  // two sockets each; the ring holds 5,000 records
  SocketWatcher watcher;
  const auto listener = bound_socket(b().ns, SOCK_STREAM, 0, b_addr(), kPort);
  must(::listen(listener.get(), 128), "listen");
  for (std::size_t i = 0; i < kConnections; ++i) {
    auto fd = bound_socket(a().ns, SOCK_STREAM, 0, a_addr(), 0);
    connect_to(fd.get(), b_addr(), kPort);
    const UniqueFd peer(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    reset_when_closed(fd);
    fd = UniqueFd();
    char byte = 0;
    ASSERT_EQ(::recv(peer.get(), &byte, 1, 0), -1);
    ASSERT_EQ(errno, ECONNRESET);
  }
  watcher.read();
  std::size_t told = 0;
  std::uint64_t lost_packets = 0;
  for (const auto* host : {&a(), &b()}) {
    const auto inode = netns_inode(host->ns);
    std::map<std::uint64_t, std::uint64_t> packets;  // of each socket that was told, by its cookie
    for (const auto& flow : watcher.flows([&](const Flow& one) {
           return one.socket.netns == inode && one.key.protocol == kTcp;
         })) {
      packets[flow.key.socket] += flow.packets;
    }
    ASSERT_FALSE(packets.empty());
    const auto each = packets.begin()->second;
    for (const auto& [cookie, sum] : packets) ASSERT_EQ(sum, each);
    told += packets.size();
    lost_packets += (kConnections - packets.size()) * each;
  }
  EXPECT_LT(told, 2 * kConnections);
  // More, where sockets of others on this machine closed while the ring was full.
  EXPECT_GE(watcher.accounting().lost.packets, lost_packets);
}

TEST_P(SocketTcpTest, SaysWhyAConnectionFailed) {
  SocketWatcher watcher;
  const auto fd = bound_socket(a().ns, SOCK_STREAM, 0, a_addr(), 5001);
  const SocketAddress nobody(b_addr(), kPort);
  EXPECT_EQ(::connect(fd.get(), nobody.get(), nobody.size), -1);
  const auto refused = watcher.flow(a().ns, a_to_b(5001), kTcp, Direction::kEgress, is_over);
  EXPECT_EQ(failure_of(refused.socket), "refused");
  EXPECT_EQ(refused.packets, 1U);
  EXPECT_EQ(refused.socket.role, Role::kClient);
}

TEST_P(SocketTcpTest, SaysThatNobodyAnswered) {
  SocketWatcher watcher;
  const auto fd = bound_socket(a().ns, SOCK_STREAM, 0, a_addr(), 5002);
  set_option(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, 300);
  // A neighbour that does not exist: what is sent to it is lost.
  const Host ghost(77);
  a().knows(ghost);
  const SocketAddress nobody(ghost.addr(GetParam()), kPort);
  EXPECT_EQ(::connect(fd.get(), nobody.get(), nobody.size), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  const Ends ends{a_addr(), 5002, ghost.addr(GetParam()), kPort};
  const auto lost = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, is_over);
  EXPECT_EQ(failure_of(lost.socket), "timed out");
  EXPECT_GE(lost.socket.retransmits, 1U);
  EXPECT_EQ(lost.packets, 1U + lost.socket.retransmits);
}

TEST_P(SocketTcpTest, SaysThatTheHostIsUnreachable) {
  auto options = SocketWatcher::options();
  options.ring_bytes = 1U << 24;  // others on this machine close sockets while this one waits
  SocketWatcher watcher(options);
  const auto fd = bound_socket(a().ns, SOCK_STREAM, 0, a_addr(), 5003);
  // On the wire, and nobody there: the neighbour is asked for three times in vain.
  const Host ghost(78);
  const SocketAddress nobody(ghost.addr(GetParam()), kPort);
  EXPECT_EQ(::connect(fd.get(), nobody.get(), nobody.size), -1);
  EXPECT_EQ(errno, EHOSTUNREACH);
  const Ends ends{a_addr(), 5003, ghost.addr(GetParam()), kPort};
  const auto lost = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, is_over);
  EXPECT_EQ(failure_of(lost.socket), "unreachable");
}

TEST_P(SocketTcpTest, SaysThatAConnectionWasReset) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  Connection connection(a().ns, b().ns, ends);
  Connection::send(connection.client, connection.server, 10);
  reset_when_closed(connection.server);
  connection.server = UniqueFd();  // sends RST
  const auto sent = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, is_over);
  EXPECT_EQ(failure_of(sent.socket), "reset");
  EXPECT_EQ(sent.payload_bytes, 10U);
}

TEST_P(SocketTcpTest, ShowsAConnectionThatIsHalfClosed) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  const Connection connection(a().ns, b().ns, ends);
  must(::shutdown(connection.client.get(), SHUT_WR), "shutdown");
  const auto in_state = [](const char* name) {
    return [name](const Flow& flow) { return tcp_state_name(flow.socket.state) == name; };
  };
  const auto near = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, in_state("FIN_WAIT2"));
  EXPECT_EQ(tcp_state_name(near.socket.state), "FIN_WAIT2");
  const auto far = watcher.flow(b().ns, ends, kTcp, Direction::kIngress, in_state("CLOSE_WAIT"));
  EXPECT_EQ(tcp_state_name(far.socket.state), "CLOSE_WAIT");
  EXPECT_EQ(far.payload_bytes, 0U) << "a FIN is no byte";
  EXPECT_TRUE(is_open(far));
}

TEST_P(SocketTcpTest, ShowsWhatTheApplicationHasNotRead) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  const Connection connection(a().ns, b().ns, ends);
  must(::send(connection.client.get(), "unread", 6, 0), "send");
  const auto received = watcher.flow(b().ns, ends, kTcp, Direction::kIngress, [](const Flow& flow) {
    return flow.socket.unread_bytes == 6;
  });
  EXPECT_EQ(received.socket.unread_bytes, 6U);
}

TEST_P(SocketTcpTest, GoesOnWhereAForgottenFlowLeftOff) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  const Connection connection(a().ns, b().ns, ends);
  Connection::send(connection.client, connection.server, 100);
  const auto first = watcher.flow(a().ns, ends, kTcp, Direction::kEgress,
                                  [](const Flow& flow) { return flow.payload_bytes == 100; });
  watcher.forget(first);
  watcher.empty_table();
  Connection::send(connection.client, connection.server, 900);
  const auto later = watcher.flow(a().ns, ends, kTcp, Direction::kEgress, payload_of(900));
  EXPECT_EQ(later.payload_bytes, 900U);
}

TEST_F(SocketSourceTest, TakesAV4MappedConnectionForWhatItIsOnTheWire) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, Addr::v4(127, 0, 0, 1), kPort);
  must(::listen(listener.get(), 1), "listen");
  const auto here = ns.enter();
  const UniqueFd client(must(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_in6 mapped = {};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(kPort);
  const auto bytes = Addr::v4(127, 0, 0, 1).bytes;
  std::ranges::copy(bytes, mapped.sin6_addr.s6_addr);
  must(::connect(client.get(), reinterpret_cast<sockaddr*>(&mapped), sizeof(mapped)), "connect");
  must(::send(client.get(), "x", 1, 0), "send");
  const Ends ends{Addr::v4(127, 0, 0, 1), local_port(client.get()), Addr::v4(127, 0, 0, 1), kPort};
  const auto sent = watcher.flow(ns, ends, kTcp, Direction::kEgress,
                                 [](const Flow& flow) { return flow.payload_bytes == 1; });
  EXPECT_EQ(sent.payload_bytes, 1U);
  const auto accepted = watcher.flow(ns, ends, kTcp, Direction::kIngress,
                                     [](const Flow& flow) { return flow.payload_bytes == 1; });
  EXPECT_NE(accepted.key.socket, sent.key.socket) << "two sockets, two views, on loopback too";
}

TEST_F(SocketSourceTest, TellsWhatOneListenerOfAllAddressesAcceptsFromBothFamilies) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, Addr{}, kPort);
  must(::listen(listener.get(), 2), "listen");
  for (const auto& addr : {Addr::v4(127, 0, 0, 1), *parse_addr("::1")}) {
    const auto client = bound_socket(ns, SOCK_STREAM, 0, addr, 5001);
    connect_to(client.get(), addr, kPort);
    const UniqueFd server(
        must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    must(::send(client.get(), "x", 1, 0), "send");
    const Ends ends{addr, 5001, addr, kPort};
    for (const auto direction : {Direction::kEgress, Direction::kIngress}) {
      const auto flow = watcher.flow(ns, ends, kTcp, direction,
                                     [](const Flow& one) { return one.payload_bytes == 1; });
      EXPECT_EQ(flow.payload_bytes, 1U) << to_string(addr);
      const bool at_server = direction == Direction::kIngress;
      EXPECT_EQ(flow.socket.role, at_server ? Role::kServer : Role::kClient) << to_string(addr);
    }
  }
}

// They vanish while snapshots are read, one after the other.
TEST_F(SocketSourceTest, LivesThroughNamespacesThatVanish) {
  constexpr std::uint16_t kSpaces = 50;
  constexpr std::uint16_t kFirstPort = 4000;
  SocketWatcher watcher;
  std::vector<std::uint32_t> inodes;
  auto come_and_go = std::async(std::launch::async, [&] {
    for (std::uint16_t i = 0; i < kSpaces; ++i) {
      const NetNs ns;
      inodes.push_back(netns_inode(ns));
      const auto loopback = Addr::v4(127, 0, 0, 1);
      const Ends ends{loopback, static_cast<std::uint16_t>(kFirstPort + i), loopback, kPort};
      const Connection connection(ns, ns, ends);
      Connection::send(connection.client, connection.server, 10U + i);
    }
  });
  while (come_and_go.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    watcher.read();
  }
  come_and_go.get();

  std::size_t closed = 0;
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    const auto ours = watcher.flows([&](const Flow& flow) {
      const std::size_t i = flow.key.src_port - kFirstPort;
      return i < kSpaces && flow.key.dst_port == kPort && flow.socket.netns == inodes[i] &&
             is_over(flow) && flow.payload_bytes == 10U + i;
    });
    closed = ours.size();
    return closed == 2U * kSpaces;
  })) << closed
      << " of both ends";
  EXPECT_TRUE(watcher.status().components.front().healthy);
}

}  // namespace
}  // namespace orb8::netns
