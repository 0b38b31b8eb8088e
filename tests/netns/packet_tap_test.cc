// Single packets beside the socket source: TC is attached for as long as somebody asks.
// SPDX-License-Identifier: Apache-2.0
#include "core/source/packet_tap.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/netns/node_with_pods.h"
#include "tests/netns/socket_watcher.h"

namespace orb8::netns {
namespace {

bool has_classifiers(const SocketWatcher& watcher) {
  const auto programs = watcher.status().programs;
  return std::ranges::any_of(programs, [](const AttachedProgram& program) {
    return program.program.starts_with("network_probe");
  });
}

TEST_F(SocketSourceTest, ShowsPacketsWhileSomebodyAsksAndThenLeavesTheInterfaces) {
  TwoHosts net;
  auto options = SocketWatcher::options();
  options.packets.interfaces = {"eth0"};
  SocketWatcher watcher(options);
  net.up();
  const Ends ends{net.a.v4(), 5000, net.b.v4(), kPort};
  UdpSink sink(net.b.ns, ends.dst, kPort);
  UdpSender sender(net.a.ns, ends);
  sender.send(3, 100);
  watcher.read();
  EXPECT_FALSE(has_classifiers(watcher));
  EXPECT_TRUE(watcher.packets().empty());

  watcher.want_packets(net.b.ns, {PacketFilter{.prefix = {}, .ports = PortRange{kPort, kPort}}});
  EXPECT_TRUE(has_classifiers(watcher));
  sender.send(5, 100);
  ASSERT_EQ(sink.receive(8), 8U);
  EXPECT_TRUE(eventually([&] { return watcher.read(), watcher.packets().size() >= 5; }));
  ASSERT_EQ(watcher.packets().size(), 5U);
  for (const auto& packet : watcher.packets()) {
    EXPECT_EQ(packet.kind, EventKind::kPacket);
    EXPECT_EQ(packet.bytes, udp_frame(ends.dst, 100));
    EXPECT_EQ(packet.flow.key, ends.flow(kUdp, Direction::kIngress));
  }
  const auto counted = watcher.flow(net.b.ns, ends, kUdp, Direction::kIngress,
                                    [](const Flow& flow) { return flow.packets == 8; });
  EXPECT_EQ(counted.packets, 8U) << "by the socket, and by nobody else";
  EXPECT_EQ(watcher.status().accounting.packet_events, 5U);

  watcher.want_packets(net.b.ns, {});
  EXPECT_FALSE(has_classifiers(watcher));
  sender.send(2, 100);
  ASSERT_EQ(sink.receive(10), 10U);
  watcher.read();
  EXPECT_EQ(watcher.packets().size(), 5U);
}

// What the bridge's own interface never sees, and routed pods' packets, without a word about where.
TEST_F(SocketSourceTest, ShowsThePacketsBetweenTwoPodsOfANodeOnceAsSent) {
  SocketWatcher watcher;
  const NodeWithPods net;
  net.up();
  std::vector<PacketFilter> wanted(1);
  wanted[0].ports = PortRange{kPort, kPort};
  watcher.want_packets(net.node(), wanted);
  // All interfaces, a few at a time, loopback last: what is sent before may be shown to nobody.
  ASSERT_TRUE(eventually([&] {
    const auto here = net.node().enter();
    watcher.read();
    return std::ranges::count(watcher.status().programs, std::string("lo"),
                              &AttachedProgram::interface) == 2;
  }));
  std::unordered_set<FlowKey, FlowKeyHash> keys;
  std::size_t sent = 0;
  for (const auto& [from, to] : {std::pair{1U, 2U}, {2U, 1U}, {3U, 4U}, {4U, 1U}}) {
    for (const int family : {AF_INET, AF_INET6}) {
      const Ends ends{net.pod(from).addr(family), 5000, net.pod(to).addr(family), kPort};
      UdpSink sink(*net.pod(to).ns, ends.dst, kPort);
      UdpSender(*net.pod(from).ns, ends).send(6, 100);
      ASSERT_EQ(sink.receive(6), 6U);
      sent += 6;
      keys.insert(ends.flow(kUdp, Direction::kEgress));
      EXPECT_TRUE(eventually([&] { return watcher.read(), watcher.packets().size() >= sent; }));
    }
  }
  watcher.read();
  EXPECT_EQ(watcher.packets().size(), sent);
  for (const auto& packet : watcher.packets()) {
    EXPECT_TRUE(keys.contains(packet.flow.key)) << to_string(packet.flow.key.src);
  }
}

// A node with a dozen pods and no traffic.
class ManyPodsTest : public NetnsTest {
 protected:
  static constexpr std::size_t kPods = 12;
  static constexpr std::size_t kAtOnce = 4;

  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    node_.emplace();
    pods_.emplace();
    node_->sh("ip link add cni0 type bridge");
    for (std::size_t i = 0; i < kPods; ++i) {
      node_->sh(fmt::format("ip link add veth{0} master cni0 type veth peer eth{0} netns {1}", i,
                            pods_->path()));
    }
    const auto here = node_->enter();
    auto tap = PacketTap::open({.reason = "test"});
    ASSERT_TRUE(tap);
    tap_.emplace(std::move(*tap));
  }
  void TearDown() override {
    if (!tap_) return;
    const auto here = node_->enter();
    tap_.reset();
  }
  const NetNs& node() const { return *node_; }
  void want(const std::vector<PacketFilter>& filters) {
    const auto here = node_->enter();
    const auto ok = tap_->want(filters, 0);
    ASSERT_TRUE(ok) << ok.error().what;
  }
  void work() {
    const auto here = node_->enter();
    tap_->handle_ready(1024, [](const Event&) {});
  }
  // Something is there to do that has no time to lose.
  bool wakes() const {
    for (const auto& wait : tap_->wait_fds()) {
      pollfd ready{.fd = wait.fd, .events = POLLIN, .revents = 0};
      if (!wait.may_wait && ::poll(&ready, 1, 0) > 0) return true;
    }
    return false;
  }
  std::size_t interfaces() const {
    const auto status = tap_->status();
    return status ? status->programs.size() / 2 : 0;
  }
  bool is_open() const { return tap_->status().has_value(); }

 private:
  std::optional<NetNs> node_;
  std::optional<NetNs> pods_;
  std::optional<PacketTap> tap_;
};

TEST_F(ManyPodsTest, AreTappedAndLeftAFewAtATime) {
  constexpr std::size_t kAll = kPods + 2;  // cni0 and lo
  want({PacketFilter{}});
  EXPECT_EQ(interfaces(), kAtOnce) << "the first packets do not wait for all";
  for (auto before = interfaces(); before < kAll; before = interfaces()) {
    ASSERT_TRUE(wakes()) << before;
    work();
    EXPECT_GT(interfaces(), before);
    EXPECT_LE(interfaces(), before + kAtOnce);
  }
  work();
  EXPECT_FALSE(wakes()) << "nothing is left to do";

  want({});
  EXPECT_EQ(interfaces(), kAll - kAtOnce) << "nor does a snapshot wait for the last";
  for (auto before = interfaces(); is_open(); before = interfaces()) {
    ASSERT_TRUE(wakes()) << before;
    work();
    EXPECT_GE(interfaces() + kAtOnce, before);
    ASSERT_LT(interfaces(), before);
  }
  EXPECT_EQ(interfaces(), 0U);
  EXPECT_FALSE(wakes());
}

TEST_F(ManyPodsTest, AreTappedAgainThoughNotAllHadBeenLeft) {
  constexpr std::size_t kAll = kPods + 2;
  const auto settle = [&] {
    return eventually([&] { return work(), interfaces() == kAll && !wakes(); });
  };
  want({PacketFilter{}});
  ASSERT_TRUE(settle());
  want({});
  ASSERT_LT(interfaces(), kAll);
  want({PacketFilter{}});
  ASSERT_TRUE(settle());
  node().sh("ip link del veth3");
  EXPECT_TRUE(eventually([&] { return work(), interfaces() == kAll - 1; }));
}

}  // namespace
}  // namespace orb8::netns
