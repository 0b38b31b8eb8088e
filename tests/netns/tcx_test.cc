// TCX: where the probes stand among other programs, that they only watch, and that they go with
// their process.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "tests/netns/attached.h"
#include "tests/netns/child.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"
#include "tests/netns/witness.h"

namespace orb8::netns {
namespace {

constexpr auto kBoth = {Direction::kIngress, Direction::kEgress};
constexpr std::size_t kCount = 200;

class TcxTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<TwoHosts>();
  }

  const TwoHosts& net() const { return *net_; }
  const NetNs& here() const { return net_->b.ns; }
  static TcSource::Options options(TcPlace place = TcPlace::kHead) {
    return {
        .interfaces = {"eth0"}, .mechanism = TcMechanism::kTcx, .place = place, .reason = "test"};
  }
  Ends there() const { return {net_->a.v4(), 5000, net_->b.v4(), 7000}; }
  Ends back() const { return {net_->b.v4(), 5000, net_->a.v4(), 7000}; }
  Totals sent() const { return Totals{1, udp_frame(net_->a.v4(), 50)} * kCount; }

  // Datagrams in both directions, and all of them arrive.
  void talk() const {
    UdpSink at_a(net_->a.ns, back().dst, back().dst_port);
    UdpSink at_b(net_->b.ns, there().dst, there().dst_port);
    UdpSender(net_->a.ns, there()).send(kCount, 50);
    UdpSender(net_->b.ns, back()).send(kCount, 50);
    EXPECT_EQ(at_a.receive(kCount), kCount);
    EXPECT_EQ(at_b.receive(kCount), kCount);
  }

  void expect_both_flows(Watcher& watcher) const {
    EXPECT_EQ(watcher.flow(there().flow(kUdp, Direction::kIngress), sent()), sent());
    EXPECT_EQ(watcher.flow(back().flow(kUdp, Direction::kEgress), sent()), sent());
  }

 private:
  std::unique_ptr<TwoHosts> net_;
};

TEST_F(TcxTest, HidesNoPacketFromTheProgramsBehind) {
  Watcher watcher(here(), options());
  const auto tcx_in = Witness::on_tcx(here(), "eth0", Direction::kIngress, TcPlace::kTail);
  const auto tcx_out = Witness::on_tcx(here(), "eth0", Direction::kEgress, TcPlace::kTail);
  const auto clsact_in = Witness::on_clsact(here(), "eth0", Direction::kIngress, {1, 1});
  const auto clsact_out = Witness::on_clsact(here(), "eth0", Direction::kEgress, {1, 1});
  net().up();
  talk();
  expect_both_flows(watcher);

  EXPECT_TRUE(eventually([&] { return watcher.everything() == net().b.counters().all(); }));
  EXPECT_EQ(tcx_in.seen() + tcx_out.seen(), watcher.everything());
  EXPECT_EQ(clsact_in.seen() + clsact_out.seen(), watcher.everything());
}

TEST_F(TcxTest, HidesNoPacketFromAFilterThatMirrors) {
  here().sh(
      "ip link add mirror type veth peer name other;"
      "ip link set mirror addrgenmode none; ip link set other addrgenmode none;"
      "ip link set mirror up; ip link set other up");
  ASSERT_TRUE(eventually([&] {
    return here().sh("cat /proc/net/if_inet6; ip -br link show mirror").find("UP") !=
           std::string::npos;
  }));
  here().sh(
      "tc qdisc add dev eth0 clsact;"
      "tc filter add dev eth0 ingress protocol ip prio 9 u32 match ip protocol 17 0xff"
      "  action mirred egress mirror dev mirror");
  Watcher watcher(here(), options());
  net().up();
  const auto before = counters_of(here(), "mirror").tx;
  talk();
  expect_both_flows(watcher);
  EXPECT_EQ(counters_of(here(), "mirror").tx.packets - before.packets, kCount);
}

TEST_F(TcxTest, StandsFirstOrLastAsAsked) {
  const auto other = Witness::on_tcx(here(), "eth0", Direction::kIngress, TcPlace::kHead);
  const auto number = other.program_id();
  {
    Watcher watcher(here(), options(TcPlace::kHead));
    const auto programs = tcx_programs(here(), "eth0", Direction::kIngress);
    ASSERT_EQ(programs.size(), 2U);
    EXPECT_EQ(programs[1], number);
  }
  {
    Watcher watcher(here(), options(TcPlace::kTail));
    const auto programs = tcx_programs(here(), "eth0", Direction::kIngress);
    ASSERT_EQ(programs.size(), 2U);
    EXPECT_EQ(programs[0], number);
  }
  EXPECT_EQ(tcx_programs(here(), "eth0", Direction::kIngress), std::vector{number});
  EXPECT_TRUE(tcx_programs(here(), "eth0", Direction::kEgress).empty());
}

TEST_F(TcxTest, SeesWhatAProgramDropsOnlyWhereItStandsBefore) {
  const auto dropper =
      Witness::on_tcx(here(), "eth0", Direction::kIngress, TcPlace::kHead, Witness::kDrop);
  Watcher first(here(), options(TcPlace::kHead));
  Watcher last(here(), options(TcPlace::kTail));
  net().up();
  UdpSender(net().a.ns, there()).send(kCount, 50);
  const auto flow = there().flow(kUdp, Direction::kIngress);
  EXPECT_EQ(first.flow(flow, sent()), sent());
  EXPECT_EQ(last.read().of(flow), Totals{});
}

TEST_F(TcxTest, LeavesNothingBehind) {
  {
    Watcher watcher(here(), options());
    for (const auto direction : kBoth) {
      EXPECT_EQ(tcx_programs(here(), "eth0", direction).size(), 1U);
    }
  }
  for (const auto direction : kBoth) {
    EXPECT_TRUE(tcx_programs(here(), "eth0", direction).empty());
  }
  EXPECT_FALSE(has_clsact(here(), "eth0"));
}

TEST_F(TcxTest, IsGoneWithAKilledProcess) {
  Child holder = watch_elsewhere(here(), options());
  EXPECT_EQ(tcx_programs(here(), "eth0", Direction::kIngress).size(), 1U);
  holder.kill();
  // The kernel lets go of a dead process's links a moment later.
  EXPECT_TRUE(eventually([&] {
    return tcx_programs(here(), "eth0", Direction::kIngress).empty() &&
           tcx_programs(here(), "eth0", Direction::kEgress).empty();
  }));
}

TEST_F(TcxTest, CountsForTwoWatchersAtOnce) {
  Watcher one(here(), options());
  Watcher two(here(), options());
  net().up();
  talk();
  expect_both_flows(one);
  expect_both_flows(two);
}

}  // namespace
}  // namespace orb8::netns
