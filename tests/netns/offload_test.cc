// Super-packets: what the stack hands on in one piece counts as the packets that it is, or was, on
// the wire. The sockets tell how many; the interfaces' counters cannot.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "tests/netns/frames.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"
#include "tests/netns/witness.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kTimestamps = 12;  // on each segment, with the padding
constexpr std::size_t kSynOptions = 20;  // MSS, timestamps, window scale

// struct virtio_net_hdr, whose own header is no C++.
struct OffloadHeader {
  std::uint8_t flags = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM
  std::uint8_t gso_type = 0;
  std::uint16_t header_bytes = 0;
  std::uint16_t segment_bytes = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 16;  // TCP's
};
constexpr std::uint8_t kSegmentsOfTcp4 = 1;
constexpr std::uint8_t kSegmentsOfTcp6 = 4;

class OffloadTest : public NetnsTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<TwoHosts>();
    at_a_ = std::make_unique<Watcher>(a().ns, std::vector<std::string>{"eth0"});
    at_b_ = std::make_unique<Watcher>(b().ns, std::vector<std::string>{"eth0"});
    net_->up(true);
    // A packet that another overtakes would be answered by options of changing length.
    for (const auto* host : {&a(), &b()}) host->ns.sh("echo 0 >/proc/sys/net/ipv4/tcp_sack");
  }

  const Host& a() const { return net_->a; }
  const Host& b() const { return net_->b; }
  Watcher& at_a() const { return *at_a_; }
  Watcher& at_b() const { return *at_b_; }
  Ends a_to_b() const { return {a().addr(GetParam()), 5000, b().addr(GetParam()), 7000}; }

  // The wire bytes of one side's segments; `syn_answers`: sent before there was a socket.
  Totals on_wire(const tcp_info& sender, std::uint64_t syn_answers) const {
    const std::uint64_t segments = sender.tcpi_segs_out + syn_answers;
    const auto headers = kEthernet + ip_header(a_to_b().src) + kTcpHeader + kTimestamps;
    return {segments, sender.tcpi_bytes_sent + segments * headers + kSynOptions - kTimestamps};
  }

  void expect_flow(const Ends& ends, std::uint8_t protocol, const Totals& sent) const {
    EXPECT_EQ(at_a().flow(ends.flow(protocol, Direction::kEgress), sent), sent);
    EXPECT_EQ(at_b().flow(ends.flow(protocol, Direction::kIngress), sent), sent);
  }

  void expect_transfer(std::size_t bytes) const {
    const auto outcome = transfer_tcp(a().ns, b().ns, a_to_b(), bytes, 300'000);
    expect_way(at_a(), at_b(), a_to_b(), outcome.client, 0);
    expect_way(at_b(), at_a(), a_to_b().reversed(), outcome.server, 1);
  }

  // What a slow machine loses between the two is sent once more.
  void expect_way(Watcher& from, Watcher& to, const Ends& ends, const tcp_info& sender,
                  std::uint64_t syn_answers) const {
    const auto sent = on_wire(sender, syn_answers);
    EXPECT_EQ(from.flow(ends.flow(kTcp, Direction::kEgress), sent), sent);
    const auto received = to.flow(ends.flow(kTcp, Direction::kIngress), sent);
    EXPECT_LE(received.packets, sent.packets);
    EXPECT_GE(received.packets + sender.tcpi_total_retrans, sent.packets);
    if (sender.tcpi_total_retrans == 0) {
      EXPECT_EQ(received, sent);
    }
  }

 private:
  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<Watcher> at_a_;
  std::unique_ptr<Watcher> at_b_;
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, OffloadTest, testing::Values(AF_INET, AF_INET6),
                         family_name);

TEST_P(OffloadTest, CountsTheSegmentsOfTcpAsTheSocketsDo) {
  const auto witness = Witness::behind_all(b().ns, "eth0", Direction::kIngress);
  expect_transfer(20'000'000);
  EXPECT_LT(witness.seen().packets, 20'000'000U / kMtu / 2) << "no super-packets came";
}

TEST_P(OffloadTest, CountsSegmentsThatAreCutBehindTheProbe) {
  for (const auto* host : {&a(), &b()}) host->ns.sh("ethtool -K eth0 tso off gro off");
  const auto witness = Witness::behind_all(a().ns, "eth0", Direction::kEgress);
  expect_transfer(5'000'000);
  EXPECT_LT(witness.seen().packets, 5'000'000U / kMtu / 2) << "no super-packets were sent";
  // The interfaces see what was cut, so here they can tell as well.
  EXPECT_TRUE(eventually([&] { return at_a().everything() == a().counters().all(); }));
  EXPECT_TRUE(eventually([&] { return at_b().everything() == b().counters().all(); }));
}

TEST_P(OffloadTest, CountsSegmentsThatWereJoinedBeforeTheProbe) {
  a().ns.sh("ethtool -K eth0 tso off gso off");
  b().ns.sh("ethtool -K eth0 gro on");
  const auto witness = Witness::behind_all(b().ns, "eth0", Direction::kIngress);
  expect_transfer(20'000'000);
  EXPECT_LT(witness.seen().packets, 20'000'000U / kMtu / 2) << "nothing was joined";
}

TEST_P(OffloadTest, CountsTheDatagramsOfOneSend) {
  const auto ends = a_to_b();
  UdpSink sink(b().ns, ends.dst, ends.dst_port);
  UdpSender sender(a().ns, ends);
  sender.send(100, 40'000, 1000);
  sender.send(10, 40'250, 1000);  // the last one is shorter
  EXPECT_EQ(sink.receive(4410), 4410U);
  const auto frame = udp_frame(ends.src, 0);
  expect_flow(ends, kUdp, {4410, 4410 * frame + 100 * 40'000 + 10 * 40'250});
}

// A guest's super-packet tells the length of its segments, and not how many there are.
TEST_P(OffloadTest, CountsTheSegmentsThatNobodyCounted) {
  constexpr std::size_t kSegment = 1000;
  constexpr std::size_t kPayload = 10'500;
  const bool v4 = GetParam() == AF_INET;
  const std::size_t at_tcp = kEthernet + ip_header(a_to_b().src);
  auto frame = udp_frame_bytes(a(), b(), a_to_b(), kTcpHeader - 8 + kPayload);
  frame[kEthernet + (v4 ? 9 : 6)] = kTcp;
  std::fill_n(frame.begin() + static_cast<std::ptrdiff_t>(at_tcp) + 4, kTcpHeader - 4, 0);
  frame[at_tcp + 12] = kTcpHeader / 4 << 4U;
  frame[at_tcp + 13] = kTcpAck;

  OffloadHeader head;
  head.gso_type = v4 ? kSegmentsOfTcp4 : kSegmentsOfTcp6;
  head.header_bytes = static_cast<std::uint16_t>(at_tcp + kTcpHeader);
  head.segment_bytes = kSegment;
  head.checksum_start = static_cast<std::uint16_t>(at_tcp);
  Bytes message(sizeof(head));
  std::memcpy(message.data(), &head, sizeof(head));
  message.insert(message.end(), frame.begin(), frame.end());

  FrameSender sender(a().ns, "eth0");
  sender.describe_offloads();
  sender.send(message, 20);
  const Totals each = {11, kPayload + 11 * (at_tcp + kTcpHeader)};
  expect_flow(a_to_b(), kTcp, each * 20);
}

}  // namespace
}  // namespace orb8::netns
