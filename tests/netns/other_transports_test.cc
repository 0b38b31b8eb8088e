// UDP-Lite and SCTP, which have no counters in the kernel either, and TCP that carries data in its
// first segment.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::uint8_t kUdpLite = IPPROTO_UDPLITE;
constexpr std::uint8_t kSctp = IPPROTO_SCTP;

// None where the kernel was built without the protocol: Linux 7.1 dropped UDP-Lite.
std::vector<int> families_with(int type, int protocol) {
  if (UniqueFd(::socket(AF_INET, type | SOCK_CLOEXEC, protocol))) return {AF_INET, AF_INET6};
  return {};
}

class UdpLite : public SocketPairTest {};
class Sctp : public SocketPairTest {};
class FastOpen : public SocketPairTest {};

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UdpLite);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Sctp);
INSTANTIATE_TEST_SUITE_P(BothFamilies, UdpLite,
                         testing::ValuesIn(families_with(SOCK_DGRAM, kUdpLite)), family_name);
INSTANTIATE_TEST_SUITE_P(BothFamilies, Sctp, testing::ValuesIn(families_with(SOCK_STREAM, kSctp)),
                         family_name);
INSTANTIATE_TEST_SUITE_P(BothFamilies, FastOpen, testing::Values(AF_INET, AF_INET6), family_name);

TEST_P(UdpLite, CountsEachDatagramAtBothEnds) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  const auto server = bound_socket(b().ns, SOCK_DGRAM, kUdpLite, ends.dst, ends.dst_port);
  const auto client = bound_socket(a().ns, SOCK_DGRAM, kUdpLite, ends.src, ends.src_port);
  connect_to(client.get(), ends.dst, ends.dst_port);
  char got[100];
  for (int i = 0; i < 30; ++i) {
    must(::send(client.get(), "twelve bytes", 12, 0), "send");
    ASSERT_EQ(must(::recv(server.get(), got, sizeof(got), 0), "recv"), 12);
  }
  const Totals wanted = Totals{1, udp_frame(ends.dst, 12)} * 30;
  const auto counted = [&](const NetNs& ns, Direction direction) {
    const auto flow = watcher.flow(ns, ends, kUdpLite, direction,
                                   [](const Flow& one) { return one.packets >= 30; });
    return Totals{flow.packets, flow.bytes};
  };
  EXPECT_EQ(counted(a().ns, Direction::kEgress), wanted);
  EXPECT_EQ(counted(b().ns, Direction::kIngress), wanted);
}

TEST_P(Sctp, CountsAnAssociationAtBothEnds) {
  SocketWatcher watcher;
  const auto ends = a_to_b();
  const auto listener = bound_socket(b().ns, SOCK_STREAM, kSctp, ends.dst, ends.dst_port);
  must(::listen(listener.get(), 1), "listen");
  const auto client = bound_socket(a().ns, SOCK_STREAM, kSctp, ends.src, ends.src_port);
  connect_to(client.get(), ends.dst, ends.dst_port);
  const UniqueFd server(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  const std::string message(1000, 'x');
  char got[1000];
  for (int i = 0; i < 20; ++i) {
    must(::send(client.get(), message.data(), message.size(), 0), "send");
    must(::recv(server.get(), got, sizeof(got), MSG_WAITALL), "recv");
  }
  // With what opens it, and acknowledgements, which SCTP sends as it likes; at the server's side
  // the listener's as well.
  Totals sent;
  Totals received;
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    sent = watcher.totals(a().ns, kSctp, Direction::kEgress);
    received = watcher.totals(b().ns, kSctp, Direction::kIngress);
    return sent.bytes > 20'000 && received == sent;
  })) << sent
      << " and " << received;
}

// The server's application has the data before the client's is told that the connection is open.
TEST_P(FastOpen, CountsDataInTheFirstSegment) {
  SocketWatcher watcher;
  // Clients and servers, and data without a cookie on both sides (ip-sysctl.rst, tcp_fastopen).
  for (const auto* host : {&a(), &b()}) {
    host->ns.sh("echo $((0x1 | 0x2 | 0x4 | 0x200)) >/proc/sys/net/ipv4/tcp_fastopen");
  }
  const auto ends = a_to_b();
  const auto listener = bound_socket(b().ns, SOCK_STREAM, 0, ends.dst, ends.dst_port);
  set_option(listener.get(), IPPROTO_TCP, TCP_FASTOPEN, 8);
  must(::listen(listener.get(), 8), "listen");
  {
    const auto client = bound_socket(a().ns, SOCK_STREAM, 0, ends.src, ends.src_port);
    const SocketAddress to(ends.dst, ends.dst_port);
    const std::string first(500, 'x');
    ASSERT_EQ(
        must(::sendto(client.get(), first.data(), first.size(), MSG_FASTOPEN, to.get(), to.size),
             "sendto"),
        500);
    const UniqueFd server(
        must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    tcp_info info = {};
    socklen_t size = sizeof(info);
    must(::getsockopt(server.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
    ASSERT_TRUE(info.tcpi_options & TCPI_OPT_SYN_DATA) << "else this tests nothing";
    char got[500];
    must(::recv(server.get(), got, sizeof(got), MSG_WAITALL), "recv");
    Connection::send(client, server, 70);
    Connection::send(server, client, 9);
  }
  const auto over = [](const Flow& flow) { return flow.life == FlowLife::kClosed; };
  const auto payload = [&](const NetNs& ns, const Ends& way, Direction direction) {
    return watcher.flow(ns, way, kTcp, direction, over).payload_bytes;
  };
  EXPECT_EQ(payload(a().ns, ends, Direction::kEgress), 570U);
  EXPECT_EQ(payload(b().ns, ends, Direction::kIngress), 570U);
  EXPECT_EQ(payload(b().ns, ends.reversed(), Direction::kEgress), 9U);
  EXPECT_EQ(payload(a().ns, ends.reversed(), Direction::kIngress), 9U);
}

}  // namespace
}  // namespace orb8::netns
