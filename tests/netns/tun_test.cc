// Interfaces whose packets begin with IP, and interfaces whose frames come in pieces.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/netns/frames.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/tun_device.h"
#include "tests/netns/watcher.h"
#include "tests/netns/witness.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kCount = 300;

class TunTest : public NetnsTest, public testing::WithParamInterface<int> {
 protected:
  static Bytes without_ethernet(const Bytes& frame) {
    return {frame.begin() + kEthernet, frame.end()};
  }
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, TunTest, testing::Values(AF_INET, AF_INET6), family_name);

TEST_P(TunTest, CountsPacketsWithoutALinkLayerHeader) {
  const Host host(1);
  const Host peer(2);  // exists in what is written alone
  TunDevice tun(host.ns, "tun0", TunDevice::Kind::kTun);
  Watcher watcher(host.ns, {"tun0"});
  ASSERT_EQ(watcher.status().programs.size(), 2U);
  EXPECT_EQ(watcher.status().programs[0].program, "network_probe_ip");
  EXPECT_EQ(watcher.status().programs[1].program, "network_probe_ip_egress");
  host.start(true, "tun0");
  host.ns.sh("ip addr add " + to_string(host.v4()) + "/24 dev tun0;ip addr add " +
             to_string(host.v6()) + "/64 dev tun0 nodad");

  const Ends in = {peer.addr(GetParam()), 5000, host.addr(GetParam()), 7000};
  const Ends out = {host.addr(GetParam()), 5001, peer.addr(GetParam()), 7001};
  const UdpSink sink(host.ns, in.dst, in.dst_port);
  const auto packet = without_ethernet(udp_frame_bytes(peer, host, in, 70));
  for (std::size_t i = 0; i < kCount; ++i) tun.write(packet);
  const std::size_t sent_size = udp_frame(out.src, 30) - kEthernet;
  UdpSender(host.ns, out).send(kCount, 30);
  std::size_t read = 0;
  EXPECT_TRUE(eventually([&] {
    // Others are the stack's own.
    while (true) {
      const auto got = tun.read();
      if (got.empty()) break;
      read += got.size() == sent_size ? 1 : 0;
    }
    return read >= kCount;
  }));
  EXPECT_EQ(read, kCount);

  const auto received = Totals{1, packet.size()} * kCount;
  const auto sent = Totals{1, sent_size} * kCount;
  EXPECT_EQ(watcher.flow(in.flow(kUdp, Direction::kIngress), received), received);
  EXPECT_EQ(watcher.flow(out.flow(kUdp, Direction::kEgress), sent), sent);
  expect_all_accounted(watcher, host.ns, "tun0");
}

TEST_P(TunTest, ReadsHeadersThatComeInPieces) {
  const Host host(1);
  const Host peer(2);
  TunDevice tap(host.ns, "tap0", TunDevice::Kind::kTapPages);
  // Merging would look at the headers first, and pull them into the linear area.
  host.ns.sh("ethtool -K tap0 gro off");
  Watcher watcher(host.ns, {"tap0"});
  const auto witness = Witness::behind_all(host.ns, "tap0", Direction::kIngress);
  host.start(true, "tap0");

  const Ends ends = {peer.addr(GetParam()), 5000, host.addr(GetParam()), 7000};
  const auto frame = udp_frame_bytes(peer, host, ends, 500);
  for (std::size_t i = 0; i < kCount; ++i) tap.write_in_two(frame, kEthernet);
  const auto received = Totals{1, frame.size()} * kCount;
  EXPECT_EQ(watcher.flow(ends.flow(kUdp, Direction::kIngress), received), received);
  EXPECT_EQ(witness.nonlinear(), kCount);
}

}  // namespace
}  // namespace orb8::netns
