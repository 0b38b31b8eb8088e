// Two hosts on a wire, one of them watched: what it accounts is what its interface counted and what
// was sent, to the packet and the byte.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

class TwoHostsTest : public NetnsTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<TwoHosts>();
    watcher_ = std::make_unique<Watcher>(net_->b.ns, std::vector<std::string>{"eth0"});
    net_->up();
  }

  const Host& a() const { return net_->a; }
  const Host& b() const { return net_->b; }
  Watcher& watcher() const { return *watcher_; }
  Ends a_to_b() const { return {a().addr(GetParam()), 5000, b().addr(GetParam()), kPort}; }

  void expect_all_accounted() const {
    netns::expect_all_accounted(watcher(), b().ns, "eth0");
    EXPECT_EQ(watcher().ledger().nonsense(), 0U);
    EXPECT_EQ(watcher().accounting().duplicate.packets, 0U);
  }

 private:
  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<Watcher> watcher_;
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, TwoHostsTest, testing::Values(AF_INET, AF_INET6),
                         family_name);

TEST_P(TwoHostsTest, CountsEachDatagramOfBothDirections) {
  const auto ends = a_to_b();
  UdpSink at_b(b().ns, ends.dst, ends.dst_port);
  UdpSender from_a(a().ns, ends);
  from_a.send(1000, 100);
  from_a.send(1, 0);
  from_a.send(500, 1400);
  EXPECT_EQ(at_b.receive(1501), 1501U);

  const Ends back = {ends.dst, 5001, ends.src, kPort};
  UdpSink at_a(a().ns, back.dst, back.dst_port);
  UdpSender(b().ns, back).send(300, 64);
  EXPECT_EQ(at_a.receive(300), 300U);

  const Totals there = Totals{1, udp_frame(ends.src, 100)} * 1000 +
                       Totals{1, udp_frame(ends.src, 0)} +
                       Totals{1, udp_frame(ends.src, 1400)} * 500;
  const auto ingress = ends.flow(kUdp, Direction::kIngress);
  const auto egress = back.flow(kUdp, Direction::kEgress);
  const Totals answers = Totals{1, udp_frame(ends.src, 64)} * 300;
  EXPECT_EQ(watcher().flow(ingress, there), there);
  EXPECT_EQ(watcher().flow(egress, answers), answers);
  EXPECT_EQ(watcher().ledger().line(ingress)->incarnations, 1U);
  EXPECT_EQ(watcher().ledger().line(ingress)->ifindex, ifindex_of(b().ns, "eth0"));
  expect_all_accounted();
}

TEST_P(TwoHostsTest, CountsATransferByTcpLikeTheInterface) {
  const auto ends = a_to_b();
  const auto outcome = transfer_tcp(a().ns, b().ns, ends, 5'000'000, 700'000);
  expect_all_accounted();

  const auto ingress = ends.flow(kTcp, Direction::kIngress);
  const auto egress = ends.reversed().flow(kTcp, Direction::kEgress);
  const auto* there = watcher().ledger().line(ingress);
  const auto* back = watcher().ledger().line(egress);
  ASSERT_NE(there, nullptr);
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(there->totals.packets, outcome.client.tcpi_segs_out);
  EXPECT_GT(there->totals.bytes, 5'000'000U);
  EXPECT_GT(back->totals.bytes, 700'000U);
  for (const auto* line : {there, back}) {
    EXPECT_EQ(line->tcp_flags & (kTcpSyn | kTcpAck | kTcpFin | kTcpRst),
              kTcpSyn | kTcpAck | kTcpFin);
  }
}

TEST_P(TwoHostsTest, CountsEchoRequestsAndReplies) {
  const auto ends = a_to_b();
  ping(a().ns, ends.src, ends.dst, 50, 200);
  const bool v4 = GetParam() == AF_INET;
  const std::uint8_t protocol = v4 ? kIcmp : kIcmp6;
  // Type and code stand where others have ports.
  const Ends request = {ends.src, static_cast<std::uint16_t>(v4 ? 8 : 128), ends.dst, 0};
  const Ends reply = {ends.dst, static_cast<std::uint16_t>(v4 ? 0 : 129), ends.src, 0};
  const Totals each = Totals{1, echo_frame(ends.src, 200)} * 50;
  EXPECT_EQ(watcher().flow(request.flow(protocol, Direction::kIngress), each), each);
  EXPECT_EQ(watcher().flow(reply.flow(protocol, Direction::kEgress), each), each);
  expect_all_accounted();
}

TEST_P(TwoHostsTest, MissesNothingThoughItReadsWhileTrafficRuns) {
  const auto ends = a_to_b();
  UdpSink at_b(b().ns, ends.dst, ends.dst_port);
  UdpSender from_a(a().ns, ends);
  for (int i = 0; i < 200; ++i) {
    from_a.send(20, 50);
    watcher().read();
  }
  const Totals sent = Totals{1, udp_frame(ends.src, 50)} * 4000;
  EXPECT_EQ(watcher().flow(ends.flow(kUdp, Direction::kIngress), sent), sent);
  expect_all_accounted();
}

}  // namespace
}  // namespace orb8::netns
