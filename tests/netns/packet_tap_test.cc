// Single packets beside the socket source: TC is attached for as long as somebody asks.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

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

}  // namespace
}  // namespace orb8::netns
