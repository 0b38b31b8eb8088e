// A kernel map smaller than the traffic's flows, and flows that are taken out of it: no packet is
// missing in the sum, or it is counted as lost.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <barrier>
#include <memory>
#include <thread>

#include "tests/netns/frames.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kPayload = 40;

Totals to_totals(const Tally& tally) {
  return {tally.packets, tally.bytes};
}

// Datagrams of many flows, to an address that nobody has: nobody answers.
class ManyFlows {
 public:
  ManyFlows(const Host& from, const Host& to, int family)
      : sender_(from.ns, "eth0"),
        ends_{from.addr(family), 0, Host(77).addr(family), 9},
        frame_(udp_frame_bytes(from, to, ends_, kPayload)),
        port_at_(kEthernet + ip_header(ends_.src)) {}

  void send(std::size_t first, std::size_t count, std::size_t packets_each = 1) {
    for (std::size_t flow = first; flow < first + count; ++flow) {
      const auto port = port_of(flow);
      frame_[port_at_] = static_cast<std::uint8_t>(port >> 8U);
      frame_[port_at_ + 1] = static_cast<std::uint8_t>(port);
      sender_.send(frame_, packets_each);
    }
  }
  Totals each() const { return {1, frame_.size()}; }
  FlowKey key(std::size_t flow) const {
    auto ends = ends_;
    ends.src_port = port_of(flow);
    return ends.flow(kUdp, Direction::kIngress);
  }
  bool owns(const FlowKey& key) const { return key.dst == ends_.dst; }

 private:
  static std::uint16_t port_of(std::size_t flow) { return static_cast<std::uint16_t>(1000 + flow); }

  FrameSender sender_;
  Ends ends_;
  Bytes frame_;
  std::size_t port_at_;
};

class FullMapTest : public NetnsTest, public testing::WithParamInterface<int> {
 protected:
  void start(std::uint32_t max_flows) {
    net_ = std::make_unique<TwoHosts>();
    watcher_ = std::make_unique<Watcher>(
        net_->b.ns, TcSource::Options{.interfaces = {"eth0"}, .max_flows = max_flows});
    net_->up();
    flows_ = std::make_unique<ManyFlows>(net_->a, net_->b, GetParam());
  }

  Watcher& watcher() const { return *watcher_; }
  ManyFlows& flows() const { return *flows_; }
  const TwoHosts& net() const { return *net_; }

  Totals told() const {
    return watcher().ledger().where([this](const FlowKey& key) { return flows().owns(key); });
  }
  Totals told_once(const Totals& sent) const {
    return settled([this] { return watcher().read(), told(); }, sent);
  }
  // The whole interface: every packet has one fate, and records for what was counted or spilled.
  // In one condition: the hosts' own neighbour discovery sends now and then.
  void expect_all_accounted() const {
    Totals in_records;
    Totals in_fates;
    EXPECT_TRUE(eventually([&] {
      const auto counted = net_->b.counters().all();
      if (watcher().everything() != counted) return false;
      const auto fates = watcher().accounting();
      in_records = watcher().ledger().total();
      in_fates = to_totals(fates.counted) + to_totals(fates.spilled);
      return in_records == in_fates;
    })) << in_records
        << " in records, " << in_fates << " by the tally";
    EXPECT_EQ(watcher().ledger().nonsense(), 0U);
  }

 private:
  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<ManyFlows> flows_;
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, FullMapTest, testing::Values(AF_INET, AF_INET6),
                         family_name);

TEST_P(FullMapTest, SpillsWhatHasNoRoomAndMissesNothing) {
  start(64);
  for (std::size_t first = 0; first < 4000; first += 500) {
    flows().send(first, 500, 2);
    watcher().read();
  }
  const auto sent = flows().each() * 8000;
  EXPECT_EQ(told_once(sent), sent);
  expect_all_accounted();
  EXPECT_EQ(watcher().accounting().lost.packets, 0U);
  EXPECT_GE(watcher().accounting().spilled.packets, 2U * (4000 - 64));
  EXPECT_EQ(watcher().ledger().of(flows().key(3999)), flows().each() * 2) << "to its own flow";
}

TEST_P(FullMapTest, CountsAsLostWhatFindsTheSpillRingFullToo) {
  start(16);
  flows().send(0, 10'000);
  const auto seen = [this] {
    const auto fates = watcher().accounting();
    return fates.counted.packets + fates.spilled.packets + fates.lost.packets;
  };
  EXPECT_TRUE(eventually([&] { return seen() >= 10'000; }));
  const auto lost = to_totals(watcher().accounting().lost);
  EXPECT_GT(lost.packets, 0U);
  expect_all_accounted();
  EXPECT_EQ(told() + lost, flows().each() * 10'000);
}

TEST_P(FullMapTest, HasRoomAgainForWhatCameAfterFlowsWereForgotten) {
  start(100);
  flows().send(0, 50, 3);
  EXPECT_EQ(told_once(flows().each() * 150), flows().each() * 150);
  std::vector<FlowKey> keys;
  for (std::size_t flow = 0; flow < 50; ++flow) keys.push_back(flows().key(flow));
  flows().send(0, 50, 2);  // since the last snapshot: comes with the last record
  watcher().forget(keys);
  EXPECT_EQ(told(), flows().each() * 250);

  flows().send(100, 90);
  flows().send(0, 1);
  EXPECT_EQ(told_once(flows().each() * 341), flows().each() * 341);
  EXPECT_EQ(watcher().accounting().spilled.packets, 0U);
  EXPECT_EQ(watcher().ledger().line(flows().key(0))->incarnations, 2U) << "counted anew";
  EXPECT_EQ(watcher().ledger().of(flows().key(0)), flows().each() * 6);
  expect_all_accounted();
}

TEST_P(FullMapTest, MissesNothingOfFlowsForgottenWhileOthersMove) {
  start(200);
  constexpr std::size_t kRounds = 100;
  constexpr std::size_t kGroup = 150;
  // Two groups take turns: one moves while the other, which did, is forgotten. Of a flow that moves
  // at that very moment a packet may be missing: see FlowMaps::take().
  std::barrier turn(2);
  std::jthread traffic([&] {
    for (std::size_t round = 0; round < kRounds; ++round) {
      flows().send(round % 2 * kGroup, kGroup);
      turn.arrive_and_wait();
    }
  });
  std::vector<FlowKey> keys;
  for (std::size_t round = 0; round < kRounds; ++round) {
    // What was sent may still be on its way to the probe.
    const auto moved = [&] {
      Totals sum;
      watcher().read();
      for (const auto& key : keys) sum += watcher().ledger().of(key);
      return sum;
    };
    EXPECT_EQ(settled(moved, flows().each() * keys.size() * ((round + 1) / 2)),
              flows().each() * keys.size() * ((round + 1) / 2));
    watcher().forget(keys);
    turn.arrive_and_wait();
    keys.clear();
    for (std::size_t i = 0; i < kGroup; ++i) keys.push_back(flows().key(round % 2 * kGroup + i));
  }
  traffic.join();
  const auto sent = flows().each() * (kGroup * kRounds);
  EXPECT_EQ(told_once(sent), sent);
  EXPECT_EQ(watcher().accounting().lost.packets, 0U);
  expect_all_accounted();
}

class FullMapOnABridgeTest : public NetnsTest {};

TEST_F(FullMapOnABridgeTest, CountsASpilledPacketOnceThoughItSpillsAtEveryInterface) {
  const BridgedHosts net;
  Watcher watcher(net.bridge.ns,
                  TcSource::Options{.interfaces = {"port*", "br0"}, .max_flows = 10});
  net.up();
  const Ends ends = {net.hosts[0].v4(), 0, net.hosts[1].v4(), 9};
  const UdpSink sink(net.hosts[1].ns, ends.dst, ends.dst_port);
  auto frame = udp_frame_bytes(net.hosts[0], net.hosts[1], ends, kPayload);
  FrameSender sender(net.hosts[0].ns, "eth0");
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    frame[kEthernet + 20] = static_cast<std::uint8_t>(port >> 8U);
    frame[kEthernet + 21] = static_cast<std::uint8_t>(port);
    sender.send(frame, 2);
    if (port % 100 == 0) watcher.read();
  }
  const auto told = [&] {
    return watcher.read().where([](const FlowKey& key) { return key.protocol == kUdp; });
  };
  const auto sent = Totals{1, frame.size()} * 2000;
  EXPECT_EQ(settled(told, sent), sent);
  EXPECT_GE(watcher.accounting().spilled.packets, 2U * 2 * 980);
}

}  // namespace
}  // namespace orb8::netns
