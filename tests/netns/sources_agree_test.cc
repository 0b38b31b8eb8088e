// Both sources over the same traffic: what the sockets say is what crossed the wire.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <vector>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kBulk = 10'000'000;

// A receiving socket takes no notice of payload that it had: the wire's bytes without it.
std::uint64_t new_to_receiver(std::uint64_t counted, const tcp_info& sender) {
  return counted - sender.tcpi_bytes_retrans;
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
  Ends a_to_b() const { return {a().addr(GetParam()), 5000, b().addr(GetParam()), kPort}; }

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

}  // namespace
}  // namespace orb8::netns
