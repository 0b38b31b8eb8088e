// Every interface that a packet crosses is watched, and still it counts once. The hosts are as pods
// on a node: what one of them sends is egress.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

class BridgeTest : public NetnsTest {
 protected:
  void start(bool offloads = false) {
    net_ = std::make_unique<BridgedHosts>();
    watcher_ = std::make_unique<Watcher>(net_->bridge.ns, std::vector<std::string>{"port*", "br0"});
    net_->up(offloads);
  }

  const Host& host(std::size_t number) const { return net_->hosts[number - 1]; }
  const Host& machine() const { return net_->bridge; }
  Watcher& watcher() const { return *watcher_; }
  Totals duplicates() const {
    const auto tally = watcher().accounting().duplicate;
    return {tally.packets, tally.bytes};
  }

  static Ends ends(const Host& from, const Host& to, int family) {
    return {from.addr(family), 5000, to.addr(family), kPort};
  }

  // All interfaces' counters, in frames as they were on the wire.
  Totals counted_by_interfaces() const {
    Totals sum;
    for (const auto* port : {"port1", "port2", "port3"}) {
      sum += counters_of(machine().ns, port).all();
    }
    const auto bridge = counters_of(machine().ns, "br0");
    // A bridge counts what it receives behind the Ethernet header (br_pass_frame_up()).
    return sum + bridge.all() + Totals{0, bridge.rx.packets * kEthernet};
  }

  void expect_all_seen() const {
    Totals seen;
    Totals counted;
    eventually([&] {
      seen = watcher().everything() + duplicates();
      counted = counted_by_interfaces();
      return seen == counted;
    });
    EXPECT_EQ(seen, counted);
    EXPECT_EQ(watcher().ledger().nonsense(), 0U);
  }

 private:
  std::unique_ptr<BridgedHosts> net_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(BridgeTest, CountsWhatIsBridgedOnce) {
  start();
  for (const int family : {AF_INET, AF_INET6}) {
    const auto there = ends(host(1), host(2), family);
    const auto onward = ends(host(2), host(3), family);
    UdpSink at_2(host(2).ns, there.dst, there.dst_port);
    UdpSink at_3(host(3).ns, onward.dst, onward.dst_port);
    const auto before = duplicates();
    UdpSender(host(1).ns, there).send(1000, 300);
    UdpSender(host(2).ns, onward).send(400, 20);
    EXPECT_EQ(at_2.receive(1000), 1000U);
    EXPECT_EQ(at_3.receive(400), 400U);

    const auto sent_1 = Totals{1, udp_frame(there.src, 300)} * 1000;
    const auto sent_2 = Totals{1, udp_frame(onward.src, 20)} * 400;
    EXPECT_EQ(watcher().flow(there.flow(kUdp, Direction::kEgress), sent_1), sent_1);
    EXPECT_EQ(watcher().flow(onward.flow(kUdp, Direction::kEgress), sent_2), sent_2);
    EXPECT_EQ(watcher().ledger().where([](const FlowKey& key) {
      return key.protocol == kUdp && key.direction == Direction::kIngress;
    }),
              Totals{});
    // MLD may add to them.
    EXPECT_GE(duplicates(), before + sent_1 + sent_2);
    expect_all_seen();
  }
}

TEST_F(BridgeTest, CountsABroadcastOnceThoughItLeavesByEveryPort) {
  start();
  const Ends all = {host(1).v4(), 5000, Addr::v4(10, 88, 0, 255), kPort};
  UdpSender(host(1).ns, all).send(200, 40);
  const auto sent = Totals{1, udp_frame(all.src, 40)} * 200;
  EXPECT_EQ(watcher().flow(all.flow(kUdp, Direction::kEgress), sent), sent);
  expect_all_seen();
  EXPECT_GE(duplicates(), sent * 3);  // br0, port2, port3
}

TEST_F(BridgeTest, CountsTheMachinesOwnTrafficOnce) {
  start();
  for (const int family : {AF_INET, AF_INET6}) {
    const auto in = ends(host(1), machine(), family);
    const auto out = ends(machine(), host(3), family);
    UdpSink at_machine(machine().ns, in.dst, in.dst_port);
    UdpSink at_3(host(3).ns, out.dst, out.dst_port);
    UdpSender(host(1).ns, in).send(250, 100);
    UdpSender(machine().ns, out).send(350, 10);
    EXPECT_EQ(at_machine.receive(250), 250U);
    EXPECT_EQ(at_3.receive(350), 350U);
    const auto received = Totals{1, udp_frame(in.src, 100)} * 250;
    const auto sent = Totals{1, udp_frame(in.src, 10)} * 350;
    EXPECT_EQ(watcher().flow(in.flow(kUdp, Direction::kEgress), received), received);
    EXPECT_EQ(watcher().flow(out.flow(kUdp, Direction::kEgress), sent), sent);
    expect_all_seen();
  }
}

TEST_F(BridgeTest, CountsSegmentsOnceWhereTheStackBridgesSuperPackets) {
  start(true);
  const auto there = ends(host(1), host(3), AF_INET6);
  const auto outcome = transfer_tcp(host(1).ns, host(3).ns, there, 20'000'000, 1000);
  const auto flow = there.flow(kTcp, Direction::kEgress);
  const std::uint64_t segments = outcome.client.tcpi_segs_out;
  EXPECT_EQ(settled([&] { return watcher().read().of(flow).packets; }, segments), segments);
}

TEST_F(BridgeTest, LosesNoPacketWhenTheInterfaceThatCountedAFlowIsWatchedNoMore) {
  start();
  const auto there = ends(host(1), host(2), AF_INET);
  UdpSink at_2(host(2).ns, there.dst, there.dst_port);
  UdpSender from_1(host(1).ns, there);
  const auto flow = there.flow(kUdp, Direction::kEgress);
  const auto each = Totals{1, udp_frame(there.src, 60)};

  from_1.send(100, 60);
  EXPECT_EQ(watcher().flow(flow, each * 100), each * 100);
  EXPECT_EQ(watcher().ledger().line(flow)->ifindex, ifindex_of(machine().ns, "port1"));
  machine().ns.sh("ip link set port1 down; ip link set port1 name gone1; ip link set gone1 up");
  ASSERT_TRUE(eventually([&] {
    watcher().read();
    return watcher().status().programs.size() == 6;  // port2, port3, br0
  }));

  // The port learns for a moment after it came up; the packets until then reach nobody.
  ASSERT_TRUE(eventually([&] {
    const auto before = at_2.receive(0);
    from_1.send(1, 60);
    return at_2.receive(0) > before;
  }));
  const auto arrived = at_2.receive(0);
  from_1.send(100, 60);
  EXPECT_EQ(at_2.receive(arrived + 100), arrived + 100);
  const auto sent = each * (arrived + 100);
  EXPECT_EQ(watcher().flow(flow, sent), sent);
  EXPECT_EQ(watcher().ledger().line(flow)->ifindex, ifindex_of(machine().ns, "port2"));
  EXPECT_EQ(watcher().ledger().line(flow)->incarnations, 1U);
}

// Two who say the same at two places cannot be told from one whose packet passes both: hosts
// without an address, when they ask for one. One of them counts, and the other's packets are not
// silent: they are among the duplicates.
TEST_F(BridgeTest, TalliesASecondHostsPacketsOfTheSameFlowAsDuplicates) {
  start();
  for (const std::size_t number : {1U, 2U}) {
    host(number).ns.sh("ip addr flush dev eth0 scope global; ip route add default dev eth0");
  }
  const Ends ask = {Addr::v4(0, 0, 0, 0), 68, Addr::v4(255, 255, 255, 255), 67};
  UdpSender(host(1).ns, ask).send(10, 30);
  const auto sent = Totals{1, udp_frame(ask.src, 30)} * 10;
  EXPECT_EQ(watcher().flow(ask.flow(kUdp, Direction::kEgress), sent), sent);
  UdpSender(host(2).ns, ask).send(10, 30);
  expect_all_seen();
  EXPECT_EQ(watcher().read().of(ask.flow(kUdp, Direction::kEgress)), sent);
}

}  // namespace
}  // namespace orb8::netns
