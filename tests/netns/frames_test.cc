// What is between Ethernet and the ports, on real interfaces: VLAN tags, extension headers,
// fragments, and headers that lie outside the linear area.
// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/frames.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"
#include "tests/netns/witness.h"

namespace orb8::netns {
namespace {

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kDestination = 60;

class FramesTest : public NetnsTest {
 protected:
  void start(bool offloads = false) {
    net_ = std::make_unique<TwoHosts>();
    at_a_ = std::make_unique<Watcher>(a().ns, std::vector<std::string>{"eth0"});
    at_b_ = std::make_unique<Watcher>(b().ns, std::vector<std::string>{"eth0"});
    net_->up(offloads);
  }

  const Host& a() const { return net_->a; }
  const Host& b() const { return net_->b; }
  Ends a_to_b(int family) const { return {a().addr(family), 5000, b().addr(family), 7000}; }

  // The sender's side and the receiver's account for the flow alike, and for all else that their
  // interfaces counted.
  void expect_at_both(const Ends& ends, const Totals& sent) const {
    EXPECT_EQ(at_a_->flow(ends.flow(kUdp, Direction::kEgress), sent), sent);
    EXPECT_EQ(at_b_->flow(ends.flow(kUdp, Direction::kIngress), sent), sent);
    expect_all_accounted(*at_a_, a().ns, "eth0");
    expect_all_accounted(*at_b_, b().ns, "eth0");
  }

  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<Watcher> at_a_;
  std::unique_ptr<Watcher> at_b_;
};

class BothFamilies : public FramesTest, public testing::WithParamInterface<int> {
 protected:
  Ends a_to_b() const { return FramesTest::a_to_b(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Frames, BothFamilies, testing::Values(AF_INET, AF_INET6), family_name);

// On receipt the stack takes the outermost tag out of the frame; it was on the wire all the same.
TEST_P(BothFamilies, CountsTaggedFramesWithTheirTags) {
  start();
  const auto witness = Witness::behind_all(b().ns, "eth0", Direction::kIngress);
  const std::vector<std::vector<VlanTag>> stacks = {
      {{kVlan, 5}},
      {{kServiceVlan, 7}, {kVlan, 5}},
      {{kServiceVlan, 7}, {kVlan, 5}, {kVlan, 6}},
  };
  FrameSender sender(a().ns, "eth0");
  Totals sent;
  for (const auto& tags : stacks) {
    const auto frame = udp_frame_bytes(a(), b(), a_to_b(), 90, {.tags = tags, .extensions = {}});
    EXPECT_EQ(frame.size(), udp_frame(a_to_b().src, 90) + 4 * tags.size());
    sender.send(frame, 100);
    sent += Totals{1, frame.size()} * 100;
  }
  expect_at_both(a_to_b(), sent);
  EXPECT_EQ(witness.tagged(), 300U);
}

TEST_P(BothFamilies, CountsEachFragmentOfALargeDatagramToItsFlow) {
  start();
  const auto ends = a_to_b();
  UdpSink sink(b().ns, ends.dst, ends.dst_port);
  UdpSender(a().ns, ends).send(40, 60'000);
  EXPECT_EQ(sink.receive(40), 40U);
  // What fits into a packet, in units of 8 bytes; IPv6 has a header of 8 for it.
  const bool v4 = ends.src.is_v4();
  const std::size_t each = v4 ? 1480 : 1448;
  const std::size_t fragments = (60'000 + 8 + each - 1) / each;
  const std::size_t headers = kEthernet + ip_header(ends.src) + (v4 ? 0 : 8);
  expect_at_both(ends, Totals{fragments, 60'008 + fragments * headers} * 40);
}

TEST_P(BothFamilies, ReadsHeadersOutsideTheLinearArea) {
  // With scatter-gather switched off the frame would be copied together on its way out.
  start(true);
  const auto witness = Witness::behind_all(b().ns, "eth0", Direction::kIngress);
  const auto witness_a = Witness::behind_all(a().ns, "eth0", Direction::kEgress);
  const auto frame = udp_frame_bytes(a(), b(), a_to_b(), 700);
  RingSender(a().ns, "eth0").send(frame, 100);
  expect_at_both(a_to_b(), Totals{1, frame.size()} * 100);
  EXPECT_EQ(witness.nonlinear(), 100U);
  EXPECT_EQ(witness_a.nonlinear(), 100U);
}

TEST_P(BothFamilies, ReadsTagsOutsideTheLinearArea) {
  start(true);
  const auto frame = udp_frame_bytes(a(), b(), a_to_b(), 700,
                                     {.tags = {{kServiceVlan, 9}, {kVlan, 3}}, .extensions = {}});
  RingSender(a().ns, "eth0").send(frame, 100);
  expect_at_both(a_to_b(), Totals{1, frame.size()} * 100);
}

TEST_F(FramesTest, GivesALaterFragmentWithoutItsFirstAFlowWithoutPorts) {
  start();
  const auto ends = a_to_b(AF_INET);
  auto later = udp_frame_bytes(a(), b(), ends, 64);
  constexpr std::size_t kIp = kEthernet;
  later[kIp + 4] = 0x77;  // identification
  later[kIp + 7] = 0x10;  // offset: 16 * 8 bytes
  auto first = later;
  first[kIp + 6] = 0x20;  // more fragments
  first[kIp + 7] = 0;
  FrameSender sender(a().ns, "eth0");
  sender.send(later, 3);
  sender.send(first, 1);
  sender.send(later, 5);

  const auto each = Totals{1, later.size()};
  expect_at_both(ends, each * 6);
  auto portless = ends;
  portless.src_port = portless.dst_port = 0;
  expect_at_both(portless, each * 3);
}

TEST_F(FramesTest, FindsThePortsBehindExtensionHeaders) {
  start();
  const auto ends = a_to_b(AF_INET6);
  FrameSender sender(a().ns, "eth0");
  RingSender nonlinear(a().ns, "eth0");
  Totals sent;
  for (const auto& extensions : {std::vector<std::uint8_t>{kHopByHop},
                                 {kDestination},
                                 {kHopByHop, kDestination, kDestination, kDestination}}) {
    const auto frame = udp_frame_bytes(a(), b(), ends, 20, {.tags = {}, .extensions = extensions});
    sender.send(frame, 50);
    nonlinear.send(frame, 50);
    sent += Totals{1, frame.size()} * 100;
  }
  expect_at_both(ends, sent);
}

// Each host tells the groups it listens to, behind a hop-by-hop header (RFC 3810, 5.2).
TEST_F(FramesTest, CountsMulticastListenerReports) {
  start();
  const Ends report = {*parse_addr("fe80::1"), 143, *parse_addr("ff02::16"), 0};
  EXPECT_TRUE(eventually([this, &report] {
    return at_b_->read().of(report.flow(kIcmp6, Direction::kIngress)).packets > 0;
  }));
  expect_all_accounted(*at_b_, b().ns, "eth0");
}

}  // namespace
}  // namespace orb8::netns
