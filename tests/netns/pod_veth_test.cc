// A node and its pods, watched from the node without naming an interface: each packet counts once,
// wherever it comes from and goes to, and its direction is as the pod sees it.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/netns/cgroup.h"
#include "tests/netns/child.h"
#include "tests/netns/frames.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/node_with_pods.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

class PodVethTest : public NetnsTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<NodeWithPods>();
    net_->up();
    watcher_ = std::make_unique<Watcher>(net().node(), std::vector<std::string>{});
  }
  const NodeWithPods& net() const { return *net_; }
  Watcher& watcher() const { return *watcher_; }

  Ends ends(const Place& from, const Place& to) const {
    return {from.addr(GetParam()), 5000, to.addr(GetParam()), kPort};
  }
  std::uint64_t duplicates() const { return watcher().accounting().duplicate.packets; }

  // Datagrams from one place to another one count once, in this direction and not in the other;
  // where, by name.
  std::string counted_once(const Place& from, const Place& to, Direction direction) const {
    constexpr std::size_t kSent = 150;
    const auto way = ends(from, to);
    UdpSink sink(*to.ns, way.dst, way.dst_port);
    UdpSender(*from.ns, way).send(kSent, 90);
    EXPECT_EQ(sink.receive(kSent), kSent);
    const auto sent = Totals{1, udp_frame(way.src, 90)} * kSent;
    EXPECT_EQ(watcher().flow(way.flow(kUdp, direction), sent), sent);
    const auto other = direction == Direction::kEgress ? Direction::kIngress : Direction::kEgress;
    EXPECT_EQ(watcher().read().of(way.flow(kUdp, other)), Totals{});
    const auto* line = watcher().ledger().line(way.flow(kUdp, direction));
    return line == nullptr ? "nowhere" : net().name_of(line->ifindex);
  }

 private:
  std::unique_ptr<NodeWithPods> net_;
  std::unique_ptr<Watcher> watcher_;
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, PodVethTest, testing::Values(AF_INET, AF_INET6),
                         family_name);

TEST_P(PodVethTest, CountsWhatOnePodOfABridgeSendsToAnotherOneOnceAsSent) {
  EXPECT_EQ(counted_once(net().pod(1), net().pod(2), Direction::kEgress), "veth1");
  EXPECT_GE(duplicates(), 150U) << "they also left by veth2";
  EXPECT_EQ(counted_once(net().pod(2), net().pod(1), Direction::kEgress), "veth2");
}

TEST_P(PodVethTest, CountsWhatAPodAndItsNodeSendEachOtherOnce) {
  EXPECT_EQ(counted_once(net().pod(1), net().on_bridge(), Direction::kEgress), "veth1");
  // The node is where this one is sent: its own process is known at the bridge.
  EXPECT_EQ(counted_once(net().on_bridge(), net().pod(2), Direction::kEgress), "cni0");
}

TEST_P(PodVethTest, CountsWhatAPodAndAnotherHostSendEachOtherOnce) {
  EXPECT_EQ(counted_once(net().pod(1), net().world(), Direction::kEgress), "veth1");
  EXPECT_EQ(counted_once(net().world(), net().pod(2), Direction::kIngress), "up0");
}

TEST_P(PodVethTest, CountsWhatIsRoutedToAndFromPodsOnce) {
  EXPECT_EQ(counted_once(net().pod(3), net().pod(4), Direction::kEgress), "ptp3");
  EXPECT_EQ(counted_once(net().pod(4), net().pod(1), Direction::kEgress), "ptp4");
  EXPECT_EQ(counted_once(net().pod(2), net().pod(3), Direction::kEgress), "veth2");
  EXPECT_EQ(counted_once(net().pod(4), net().world(), Direction::kEgress), "ptp4");
  EXPECT_EQ(counted_once(net().world(), net().pod(3), Direction::kIngress), "up0");
  EXPECT_EQ(counted_once(net().pod(3), net().gateway(), Direction::kEgress), "ptp3");
  EXPECT_EQ(counted_once(net().gateway(), net().pod(4), Direction::kIngress), "ptp4");
}

TEST_P(PodVethTest, CountsEachSegmentOfAConnectionOnce) {
  const auto there = ends(net().pod(1), net().pod(2));
  const auto outcome = transfer_tcp(*net().pod(1).ns, *net().pod(2).ns, there, 3'000'000, 100'000);
  const std::uint64_t sent = outcome.client.tcpi_segs_out;
  const std::uint64_t answered = outcome.server.tcpi_segs_out + 1U;  // and the answer to the SYN
  const auto packets = [&](const Ends& way) {
    return watcher().read().of(way.flow(kTcp, Direction::kEgress)).packets;
  };
  EXPECT_EQ(settled([&] { return packets(there); }, sent), sent);
  EXPECT_EQ(settled([&] { return packets(there.reversed()); }, answered), answered);
}

TEST_P(PodVethTest, CountsTaggedFramesOnceWithTheirTags) {
  const auto way = ends(net().pod(1), net().pod(2));
  const auto frame = udp_frame_bytes(net().host(1), net().host(2), way, 60,
                                     {.tags = {{kServiceVlan, 7}, {kVlan, 12}}, .extensions = {}});
  FrameSender(*net().pod(1).ns, Host::kNic).send(frame, 40);
  const auto sent = Totals{1, frame.size()} * 40;
  EXPECT_EQ(watcher().flow(way.flow(kUdp, Direction::kEgress), sent), sent);
  EXPECT_EQ(watcher().ledger().of(way.flow(kUdp, Direction::kIngress)), Totals{});
}

// The frame still has its socket when it comes out of the wire.
TEST_P(PodVethTest, KnowsTheCgroupOfThePodThatSends) {
  const Cgroup cgroup("orb8-test-pod");
  const auto way = ends(net().pod(1), net().pod(3));
  UdpSink sink(*net().pod(3).ns, way.dst, way.dst_port);
  const Child sender([&] {
    cgroup.enter();
    UdpSender(*net().pod(1).ns, way).send(10, 90);
  });
  const auto sent = Totals{1, udp_frame(way.src, 90)} * 10;
  const auto flow = way.flow(kUdp, Direction::kEgress);
  ASSERT_EQ(watcher().flow(flow, sent), sent);
  EXPECT_EQ(watcher().ledger().line(flow)->cgroup_id, cgroup.id());
}

class PodVethStatusTest : public NetnsTest {
 protected:
  // "veth1 ingress: network_probe_egress", in order.
  static std::vector<std::string> places(const SourceStatus& status, const std::string& interface) {
    std::vector<std::string> lines;
    for (const auto& one : status.programs) {
      if (one.interface == interface) lines.push_back(one.direction + ": " + one.program);
    }
    return lines;
  }
  const std::vector<std::string> kAsItIs{"ingress: network_probe", "egress: network_probe_egress"};
  const std::vector<std::string> kSwapped{"ingress: network_probe_egress", "egress: network_probe"};
};

TEST_F(PodVethStatusTest, TellsWhereEachProbeHangs) {
  const NodeWithPods net;
  net.up();
  for (const auto& names : {std::vector<std::string>{}, {"up0", "cni0", "veth*", "ptp*"}}) {
    Watcher watcher(net.node(), names);
    const auto status = watcher.status();
    EXPECT_EQ(places(status, "up0"), kAsItIs);
    EXPECT_EQ(places(status, "cni0"), kAsItIs);
    for (const auto* end : {"veth1", "veth2", "ptp3", "ptp4"}) {
      EXPECT_EQ(places(status, end), kSwapped) << end;
    }
  }
}

TEST_F(PodVethStatusTest, LeavesTheInterfacesOfAContainerAsTheyAre) {
  const NodeWithPods net;
  net.up();
  for (const std::size_t number : {1U, 3U}) {
    Watcher watcher(*net.pod(number).ns, std::vector<std::string>{});
    EXPECT_EQ(places(watcher.status(), Host::kNic), kAsItIs);
  }
  Watcher watcher(*net.world().ns, std::vector<std::string>{});
  EXPECT_TRUE(places(watcher.status(), Host::kNic).empty()) << "no default route, no pod's end";
}

TEST_F(PodVethStatusTest, FollowsPodsThatComeAndGo) {
  const NetNs node;
  node.sh("ip link add cni0 type bridge; ip addr add 10.88.76.1/24 dev cni0; ip link set cni0 up");
  Watcher watcher(node, std::vector<std::string>{});
  EXPECT_EQ(watcher.status().programs.size(), 4U) << "on cni0 and lo";
  const auto settles_to = [&](const std::string& interface,
                              const std::vector<std::string>& wanted) {
    return settled([&] { return watcher.read_ready(), places(watcher.status(), interface); },
                   wanted) == wanted;
  };
  {
    const NetNs pod;
    // As CNI's plugins do it: made in the pod, one end handed out.
    pod.sh("ip link add eth0 type veth peer name veth7 netns " + node.path());
    watcher.read_ready();
    EXPECT_TRUE(places(watcher.status(), "veth7").empty()) << "nobody knows yet what it will be";
    node.sh("ip link set veth7 master cni0 up");
    EXPECT_TRUE(settles_to("veth7", kSwapped));
    node.sh("ip link set veth7 nomaster; ip addr add 10.88.77.1/24 dev veth7");
    EXPECT_TRUE(settles_to("veth7", {})) << "an interface of the node's own";
    node.sh("ip addr del 10.88.77.1/24 dev veth7; ip addr add 10.88.77.1/32 dev veth7");
    EXPECT_TRUE(settles_to("veth7", kSwapped));
  }
  EXPECT_TRUE(settles_to("veth7", {}));
  EXPECT_EQ(watcher.status().programs.size(), 4U);
}

// Named, it stays attached whatever it is; the probes change places when it becomes a pod's.
TEST_F(PodVethStatusTest, ChangesTheProbesOfANamedInterfaceThatBecomesAPods) {
  const NetNs node;
  const NetNs pod;
  pod.sh("ip link add eth0 type veth peer name veth7 netns " + node.path());
  Watcher watcher(node, std::vector<std::string>{"veth*"});
  EXPECT_EQ(places(watcher.status(), "veth7"), kAsItIs);
  node.sh("ip link set veth7 up");
  watcher.read_ready();
  EXPECT_EQ(places(watcher.status(), "veth7"), kAsItIs) << "all that this machine has";
  node.sh("ip link add cni0 type bridge; ip addr add 10.88.76.1/24 dev cni0");
  EXPECT_EQ(
      settled([&] { return watcher.read_ready(), places(watcher.status(), "veth7"); }, kSwapped),
      kSwapped);
}

}  // namespace
}  // namespace orb8::netns
