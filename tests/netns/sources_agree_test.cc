// Both sources over the same traffic: what the sockets say is what crossed the wire.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kBulk = 10'000'000;
// Types of ICMP, and of ICMPv6.
constexpr std::uint16_t kEcho = 8;
constexpr std::uint16_t kEcho6 = 128;
constexpr std::uint16_t kEchoReply6 = 129;

// A receiving socket takes no notice of payload that it had: the wire's bytes without it.
std::uint64_t new_to_receiver(std::uint64_t counted, const tcp_info& sender) {
  return counted - sender.tcpi_bytes_retrans;
}

using Flows = std::map<std::string, Totals>;

std::string name_of(const FlowKey& key) {
  return std::string(to_string(key.direction)) + " " + protocol_name(key.protocol) + " " +
         to_string(key.src) + " " + std::to_string(key.src_port) + " > " + to_string(key.dst) +
         " " + std::to_string(key.dst_port);
}

bool is_tcp(const std::string& name) {
  return name.find(" TCP ") != std::string::npos;
}

std::set<std::string> names_of(const Flows& flows) {
  std::set<std::string> names;
  for (const auto& [name, totals] : flows) names.insert(name);
  return names;
}

Flows without_tcp(Flows flows) {
  std::erase_if(flows, [](const auto& flow) { return is_tcp(flow.first); });
  return flows;
}

// What the kernel does by itself: an echo's request comes in to no socket, and neither does MLD,
// which it sends when it wants.
bool is_the_kernels_own(const FlowKey& key) {
  const bool in = key.direction == Direction::kIngress;
  if (key.protocol == kIcmp) return in && key.src_port == kEcho;
  if (key.protocol != kIcmp6) return false;
  return (in && key.src_port == kEcho6) || (key.src_port != kEcho6 && key.src_port != kEchoReply6);
}

void expect_within_two_percent(std::uint64_t estimated, std::uint64_t counted) {
  EXPECT_NEAR(static_cast<double>(estimated), static_cast<double>(counted),
              static_cast<double>(counted) * 0.02);
}

class SourcesAgree : public NetnsTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<TwoHosts>();
    wire_ = std::make_unique<Watcher>(net_->a.ns, std::vector<std::string>{"eth0"});
    sockets_ = std::make_unique<SocketWatcher>();
    net_->up();  // without offloads: each skb is a packet of the wire
  }
  const Host& a() const { return net_->a; }
  const Host& b() const { return net_->b; }
  Watcher& wire() const { return *wire_; }
  SocketWatcher& sockets() const { return *sockets_; }
  Ends a_to_b(std::uint16_t src_port = 5000, std::uint16_t dst_port = kPort) const {
    return {a().addr(GetParam()), src_port, b().addr(GetParam()), dst_port};
  }
  Ends b_to_a(std::uint16_t src_port, std::uint16_t dst_port) const {
    return a_to_b(dst_port, src_port).reversed();
  }

  Flows on_the_wire() {
    wire_->read();
    Flows flows;
    for (const auto& key : wire_->ledger().keys()) {
      if (!is_the_kernels_own(key)) flows[name_of(key)] = wire_->ledger().of(key);
    }
    return flows;
  }
  Flows of_a_s_sockets() {
    sockets_->read();
    Flows flows;
    const auto inode = netns_inode(a().ns);
    for (const auto& flow : sockets_->flows([&](const Flow& one) {
           return one.socket.netns == inode && !is_the_kernels_own(one.key);
         })) {
      flows[name_of(flow.key)] += {flow.packets, flow.bytes};
    }
    return flows;
  }

 private:
  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<Watcher> wire_;
  std::unique_ptr<SocketWatcher> sockets_;
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, SourcesAgree, testing::Values(AF_INET, AF_INET6),
                         family_name);

TEST_P(SourcesAgree, OnEachDatagram) {
  const auto ends = a_to_b();
  UdpSink sink(b().ns, ends.dst, kPort);
  UdpSender(a().ns, ends).send(700, 321);
  ASSERT_EQ(sink.receive(700), 700U);
  const auto wanted = Totals{1, udp_frame(ends.dst, 321)} * 700;
  EXPECT_EQ(wire().flow(ends.flow(kUdp, Direction::kEgress), wanted), wanted);
  const auto sent = sockets().flow(a().ns, ends, kUdp, Direction::kEgress,
                                   [](const Flow& flow) { return flow.packets == 700; });
  EXPECT_EQ((Totals{sent.packets, sent.bytes}), wanted);
}

TEST_P(SourcesAgree, OnTcpPacketsExactlyAndOnItsBytesWithinTwoPercent) {
  const auto ends = a_to_b();
  const auto outcome = transfer_tcp(a().ns, b().ns, ends, kBulk, kBulk / 10);
  const auto over = [](const Flow& flow) { return flow.life == FlowLife::kClosed; };
  const auto sent = sockets().flow(a().ns, ends, kTcp, Direction::kEgress, over);
  const auto received = sockets().flow(a().ns, ends.reversed(), kTcp, Direction::kIngress, over);
  wire().read();
  const auto wire_sent = wire().ledger().of(ends.flow(kTcp, Direction::kEgress));
  const auto wire_received = wire().ledger().of(ends.reversed().flow(kTcp, Direction::kIngress));
  EXPECT_EQ(sent.packets, outcome.client.tcpi_segs_out);
  EXPECT_EQ(sent.packets, wire_sent.packets);
  EXPECT_EQ(received.packets, wire_received.packets);
  expect_within_two_percent(sent.bytes, wire_sent.bytes);
  expect_within_two_percent(received.bytes, new_to_receiver(wire_received.bytes, outcome.server));
}

TEST_P(SourcesAgree, WithWhatTheInterfaceCountsOfABulkTransfer) {
  const auto ends = a_to_b();
  const auto before = a().counters();
  const auto outcome = transfer_tcp(a().ns, b().ns, ends, kBulk, kBulk);
  const auto over = [](const Flow& flow) { return flow.life == FlowLife::kClosed; };
  const auto sent = sockets().flow(a().ns, ends, kTcp, Direction::kEgress, over);
  const auto received = sockets().flow(a().ns, ends.reversed(), kTcp, Direction::kIngress, over);
  const auto after = a().counters();
  ASSERT_GT(after.tx.bytes - before.tx.bytes, kBulk);
  ASSERT_GT(after.rx.bytes - before.rx.bytes, kBulk);
  expect_within_two_percent(sent.bytes, after.tx.bytes - before.tx.bytes);
  expect_within_two_percent(received.bytes,
                            new_to_receiver(after.rx.bytes - before.rx.bytes, outcome.server));
}

// The server answers each peer from the one socket, which is connected to none of them.
void ask_one_server(const NetNs& asking, const NetNs& answering, const Ends& first,
                    std::uint16_t peers) {
  const auto server = bound_socket(answering, SOCK_DGRAM, 0, first.dst, first.dst_port);
  for (std::uint16_t i = 0; i < peers; ++i) {
    const auto port = static_cast<std::uint16_t>(first.src_port + i);
    const auto client = bound_socket(asking, SOCK_DGRAM, 0, first.src, port);
    connect_to(client.get(), first.dst, first.dst_port);
    const SocketAddress back(first.src, port);
    for (int times = 0; times <= i; ++times) {
      char got[100];
      must(::send(client.get(), "question", 8, 0), "send");
      must(::recv(server.get(), got, sizeof(got), 0), "recv");
      must(::sendto(server.get(), "answer", 6, 0, back.get(), back.size), "sendto");
      must(::recv(client.get(), got, sizeof(got), 0), "recv");
    }
  }
}

// Either host is client and server, sends and receives, asks and is asked.
TEST_P(SourcesAgree, OnTheWholeSetOfFlowsOfMixedTraffic) {
  transfer_tcp(a().ns, b().ns, a_to_b(5000, 7000), kBulk, kBulk / 10);
  transfer_tcp(a().ns, b().ns, a_to_b(5001, 7000), 3, 5);
  transfer_tcp(a().ns, b().ns, a_to_b(5002, 7001), kBulk / 10, kBulk / 10);
  transfer_tcp(b().ns, a().ns, b_to_a(5000, 7000), kBulk / 10, kBulk / 10);
  transfer_tcp(b().ns, a().ns, b_to_a(5001, 7000), 1000, 1000);
  for (const std::uint16_t port : {7002, 7003, 7004}) {
    const auto ends = a_to_b(6000, port);
    UdpSink sink(b().ns, ends.dst, port);
    UdpSender(a().ns, ends).send(port - 7000U, 100);
    ASSERT_EQ(sink.receive(port - 7000U), port - 7000U);
  }
  ask_one_server(a().ns, b().ns, a_to_b(6100, 53), 5);
  ask_one_server(b().ns, a().ns, b_to_a(6100, 53), 5);
  ping(a().ns, a_to_b().src, a_to_b().dst, 7, 200);
  ping(b().ns, a_to_b().dst, a_to_b().src, 9, 100);

  Flows wire;
  Flows sockets;
  eventually([&] {
    wire = on_the_wire();
    sockets = of_a_s_sockets();
    return names_of(sockets) == names_of(wire) && without_tcp(sockets) == without_tcp(wire);
  });
  EXPECT_EQ(names_of(sockets), names_of(wire));
  EXPECT_EQ(wire.size(), 5U * 2 + 3 + 5 * 2 + 5 * 2 + 3) << "not of fewer than were there";
  EXPECT_EQ(without_tcp(sockets), without_tcp(wire));
  for (const auto& [name, on_wire] : wire) {
    if (!is_tcp(name)) continue;
    SCOPED_TRACE(name);
    EXPECT_EQ(sockets[name].packets, on_wire.packets);
    if (on_wire.bytes > kBulk / 10) expect_within_two_percent(sockets[name].bytes, on_wire.bytes);
  }
}

}  // namespace
}  // namespace orb8::netns
