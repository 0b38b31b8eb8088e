// UDP and ICMP counted at the sockets, by cgroup_skb: to the packet and the byte.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

SocketWatcher::ReadyFn has(std::uint64_t packets) {
  return [packets](const Flow& flow) { return flow.packets >= packets; };
}

Totals totals_of(const Flow& flow) {
  return {flow.packets, flow.bytes};
}

class SocketUdpTest : public SocketPairTest {
 protected:
  // Two datagrams of 100 bytes from a port of its own.
  void send_as_peer(std::uint16_t number) {
    const Ends ends{a_addr(), static_cast<std::uint16_t>(20'000 + number), b_addr(), kPort};
    UdpSender(a().ns, ends).send(2, 100);
  }
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, SocketUdpTest, testing::Values(AF_INET, AF_INET6),
                         family_name);

TEST_P(SocketUdpTest, CountsEachDatagramAtBothEnds) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  UdpSink sink(b().ns, b_addr(), kPort);
  UdpSender sender(a().ns, ends);
  sender.send(1000, 300);
  sender.send(500, 77);
  ASSERT_EQ(sink.receive(1500), 1500U);

  const Totals wanted{1500, 1000 * udp_frame(b_addr(), 300) + 500 * udp_frame(b_addr(), 77)};
  const auto sent = watcher.flow(a().ns, ends, kUdp, Direction::kEgress, has(1500));
  EXPECT_EQ(totals_of(sent), wanted);
  EXPECT_EQ(sent.payload_bytes, 1000U * 300 + 500 * 77);
  EXPECT_GT(sent.owners->local->pid, 0U);
  const auto received = watcher.flow(b().ns, ends, kUdp, Direction::kIngress, has(1500));
  EXPECT_EQ(totals_of(received), wanted);
  EXPECT_EQ(watcher.totals(a().ns, kUdp, Direction::kIngress).packets, 0U);
}

TEST_P(SocketUdpTest, CountsTheSegmentsOfALargeSend) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  UdpSink sink(b().ns, b_addr(), kPort);
  UdpSender sender(a().ns, ends);
  sender.send(10, 10'000, 1000);
  ASSERT_EQ(sink.receive(100), 100U);
  const auto sent = watcher.flow(a().ns, ends, kUdp, Direction::kEgress, has(100));
  EXPECT_EQ(totals_of(sent), (Totals{100, 100 * udp_frame(b_addr(), 1000)}));
}

TEST_P(SocketUdpTest, KeepsAThousandPeersOfOneServerApart) {
  constexpr std::uint16_t kPeers = 1000;
  constexpr std::uint16_t kFirst = 20'000;
  SocketWatcher watcher;
  UdpSink sink(b().ns, b_addr(), kPort);
  for (std::uint16_t i = 0; i < kPeers; ++i) {
    const Ends ends{a_addr(), static_cast<std::uint16_t>(kFirst + i), b_addr(), kPort};
    UdpSender(a().ns, ends).send(3, 10U + i);
  }
  ASSERT_EQ(sink.receive(3UL * kPeers), 3UL * kPeers);
  const auto inode = netns_inode(b().ns);
  std::vector<Flow> peers;
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    peers = watcher.flows([&](const Flow& flow) {
      return flow.socket.netns == inode && flow.key.direction == Direction::kIngress &&
             flow.key.dst_port == kPort;
    });
    return peers.size() == kPeers;
  })) << peers.size();
  for (const auto& peer : peers) {
    const std::size_t payload = 10U + (peer.key.src_port - kFirst);
    EXPECT_EQ(totals_of(peer), (Totals{3, 3 * udp_frame(b_addr(), payload)})) << peer.key.src_port;
  }
}

TEST_P(SocketUdpTest, SpillsPeersThatFindNoRoomAndMissesNothing) {
  constexpr std::uint16_t kPeers = 500;
  auto options = SocketWatcher::options();
  options.max_flows = 16;
  SocketWatcher watcher(options);
  UdpSink sink(b().ns, b_addr(), kPort);
  for (std::uint16_t i = 0; i < kPeers; ++i) {
    send_as_peer(i);
    if (i % 100 == 99) watcher.read();
  }
  ASSERT_EQ(sink.receive(2UL * kPeers), 2UL * kPeers);
  const auto all = Totals{1, udp_frame(b_addr(), 100)} * (2UL * kPeers);
  const auto told = [&] {
    watcher.read();
    return watcher.totals(b().ns, kUdp, Direction::kIngress);
  };
  EXPECT_EQ(settled(told, all), all);
  EXPECT_GT(watcher.accounting().spilled.packets, 0U);
}

// Others of the machine may lose something too: so no less, and of these no more.
TEST_P(SocketUdpTest, CountsAsLostWhatFindsTheRingFullToo) {
  constexpr std::uint16_t kPeers = 500;
  auto options = SocketWatcher::options();
  options.max_flows = 16;
  options.ring_bytes = 4096;
  SocketWatcher watcher(options);
  UdpSink sink(b().ns, b_addr(), kPort);
  for (std::uint16_t i = 0; i < kPeers; ++i) send_as_peer(i);
  ASSERT_EQ(sink.receive(2UL * kPeers), 2UL * kPeers);
  const auto all = Totals{1, udp_frame(b_addr(), 100)} * (4UL * kPeers);  // of both ends
  Totals told;
  Tally lost;
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    const auto received = watcher.totals(b().ns, kUdp, Direction::kIngress);
    const auto sent = watcher.totals(a().ns, kUdp, Direction::kEgress);
    told = {received.packets + sent.packets, received.bytes + sent.bytes};
    lost = watcher.accounting().lost;
    return told.packets + lost.packets >= all.packets && told.bytes + lost.bytes >= all.bytes;
  })) << told.packets
      << " told and " << lost.packets << " lost of " << all.packets;
  EXPECT_LE(told.packets, all.packets);
  EXPECT_LE(told.bytes, all.bytes);
  EXPECT_GT(lost.packets, 0U);
}

TEST_P(SocketUdpTest, SeesAnEchoAndItsReply) {
  SocketWatcher watcher;
  ping(a().ns, a_addr(), b_addr(), 5, 200);
  const bool v4 = GetParam() == AF_INET;
  const std::uint8_t protocol = v4 ? kIcmp : kIcmp6;
  const auto of_pinger = [&](Direction direction, std::uint16_t type) {
    const auto inode = netns_inode(a().ns);
    std::vector<Flow> found;
    eventually([&] {
      watcher.read();
      found = watcher.flows([&](const Flow& flow) {
        return flow.socket.netns == inode && flow.key.protocol == protocol &&
               flow.key.direction == direction && flow.key.src_port == type;
      });
      return found.size() == 1 && found.front().packets == 5;
    });
    return found;
  };
  const auto requests = of_pinger(Direction::kEgress, v4 ? 8 : 128);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(totals_of(requests[0]), (Totals{1, echo_frame(b_addr(), 200)} * 5));
  const auto replies = of_pinger(Direction::kIngress, v4 ? 0 : 129);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(totals_of(replies[0]), (Totals{1, echo_frame(b_addr(), 200)} * 5));
}

// Of raw sockets, whose user writes what should be UDP's header, and here writes three bytes.
TEST_P(SocketUdpTest, CountsAsUnparsedWhatIsTooShortForItsHeader) {
  SocketWatcher watcher;
  const auto raw = bound_socket(a().ns, SOCK_RAW, kUdp, a_addr(), 0);
  connect_to(raw.get(), b_addr(), 0);
  for (int i = 0; i < 10; ++i) must(::send(raw.get(), "cut", 3, 0), "send");
  const Totals sent = Totals{1, kEthernet + ip_header(b_addr()) + 3} * 10;
  watcher.read();
  const auto unparsed = watcher.accounting().unparsed;
  EXPECT_EQ((Totals{unparsed.packets, unparsed.bytes}), sent);
  EXPECT_EQ(watcher.totals(a().ns, kUdp, Direction::kEgress), Totals{});
}

TEST_P(SocketUdpTest, GoesOnWhenAPeerWasForgotten) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  UdpSink sink(b().ns, b_addr(), kPort);
  UdpSender(a().ns, {a_addr(), 4999, b_addr(), kPort}).send(1, 10);  // the sink's first peer
  UdpSender sender(a().ns, ends);
  sender.send(10, 100);
  ASSERT_EQ(sink.receive(11), 11U);
  const auto first = watcher.flow(b().ns, ends, kUdp, Direction::kIngress, has(10));
  watcher.forget(first);
  sender.send(5, 100);
  ASSERT_EQ(sink.receive(16), 16U);
  const auto later = watcher.flow(b().ns, ends, kUdp, Direction::kIngress, has(15));
  EXPECT_EQ(later.packets, 15U) << "a new entry of the kernel's, added to the same row";
}

// A peer's two flows share an entry of the kernel's: the first to be forgotten takes it along.
TEST_P(SocketUdpTest, CountsAPeerThatComesBackAfterBothItsFlowsWereForgotten) {
  SocketWatcher watcher;
  const auto server = bound_socket(b().ns, SOCK_DGRAM, 0, b_addr(), kPort);
  const auto talk = [&](std::uint16_t port, int times) {
    const auto client = bound_socket(a().ns, SOCK_DGRAM, 0, a_addr(), port);
    connect_to(client.get(), b_addr(), kPort);
    const SocketAddress back(a_addr(), port);
    for (int i = 0; i < times; ++i) {
      char got[100];
      must(::send(client.get(), "question", 8, 0), "send");
      must(::recv(server.get(), got, sizeof(got), 0), "recv");
      must(::sendto(server.get(), "answer", 6, 0, back.get(), back.size), "sendto");
      must(::recv(client.get(), got, sizeof(got), 0), "recv");
    }
  };
  talk(4999, 1);  // the server's first peer
  talk(5000, 10);
  const auto asked = watcher.flow(b().ns, a_to_b(), kUdp, Direction::kIngress, has(10));
  const auto answered =
      watcher.flow(b().ns, a_to_b().reversed(), kUdp, Direction::kEgress, has(10));
  watcher.forget(answered);
  watcher.forget(asked);
  talk(5000, 4);
  EXPECT_EQ(watcher.flow(b().ns, a_to_b(), kUdp, Direction::kIngress, has(14)).packets, 14U);
  EXPECT_EQ(watcher.flow(b().ns, a_to_b().reversed(), kUdp, Direction::kEgress, has(14)).packets,
            14U);
}

TEST_P(SocketUdpTest, CountsEachDatagramOverLoopbackAtBothEnds) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto loopback = GetParam() == AF_INET ? Addr::v4(127, 0, 0, 1) : *parse_addr("::1");
  const Ends ends{loopback, 5000, loopback, kPort};
  UdpSink sink(ns, loopback, kPort);
  UdpSender(ns, ends).send(100, 300);
  ASSERT_EQ(sink.receive(100), 100U);
  const auto wanted = Totals{1, udp_frame(loopback, 300)} * 100;
  const auto sent = watcher.flow(ns, ends, kUdp, Direction::kEgress, has(100));
  EXPECT_EQ(totals_of(sent), wanted);
  const auto received = watcher.flow(ns, ends, kUdp, Direction::kIngress, has(100));
  EXPECT_EQ(totals_of(received), wanted);
  EXPECT_NE(sent.key.socket, received.key.socket) << "two sockets, two views";
}

// Others of the machine may lose something too: no less than what went out and came in here.
TEST_P(SocketUdpTest, CountsDatagramsThatTheKernelHasNoMemoryToRemember) {
  a().ns.sh("sysctl -qw net.core.optmem_max=1");
  b().ns.sh("sysctl -qw net.core.optmem_max=1");
  SocketWatcher watcher;
  UdpSink sink(b().ns, b_addr(), kPort);
  UdpSender(a().ns, a_to_b()).send(100, 300);
  ASSERT_EQ(sink.receive(100), 100U);
  const auto all = Totals{1, udp_frame(b_addr(), 300)} * (2 * 100);
  watcher.read();
  EXPECT_EQ(watcher.totals(a().ns, kUdp, Direction::kEgress), Totals{});
  EXPECT_EQ(watcher.totals(b().ns, kUdp, Direction::kIngress), Totals{});
  EXPECT_GE(watcher.accounting().lost.packets, all.packets);
  EXPECT_GE(watcher.accounting().lost.bytes, all.bytes);
}

TEST_F(SocketSourceTest, CountsTcpAndNotUdpWhereItIsOff) {
  auto options = SocketWatcher::options();
  options.udp = false;
  SocketWatcher watcher(options);
  const NetNs ns;
  const Ends ends{Addr::v4(127, 0, 0, 1), 5000, Addr::v4(127, 0, 0, 1), kPort};
  {
    UdpSink sink(ns, ends.dst, kPort);
    UdpSender(ns, ends).send(10, 10);
    ASSERT_EQ(sink.receive(10), 10U);
  }
  transfer_tcp(ns, ns, ends, 1000, 0);
  const auto sent = watcher.flow(ns, ends, kTcp, Direction::kEgress,
                                 [](const Flow& flow) { return flow.payload_bytes == 1000; });
  EXPECT_EQ(sent.payload_bytes, 1000U);
  EXPECT_EQ(watcher.totals(ns, kUdp, Direction::kEgress).packets, 0U);
  EXPECT_EQ(watcher.totals(ns, kUdp, Direction::kIngress).packets, 0U);
}

TEST_F(SocketSourceTest, SaysThatUdpIsMissingWhereThereIsNoCgroup2) {
  auto options = SocketWatcher::options();
  options.cgroup_mount = "";
  const SocketWatcher watcher(options);
  const auto components = watcher.status().components;
  const auto udp = std::ranges::find(components, "udp", &Component::name);
  ASSERT_NE(udp, components.end());
  EXPECT_FALSE(udp->healthy);
  EXPECT_EQ(udp->reason, "count UDP: cgroup v2 is mounted nowhere");
}

}  // namespace
}  // namespace orb8::netns
