// Loopback: what a program sends leaves by lo and comes back by lo, and is one packet.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

class LoopbackTest : public NetnsTest, public testing::WithParamInterface<const char*> {
 protected:
  Addr self() const { return *parse_addr(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, LoopbackTest, testing::Values("127.0.0.1", "::1"),
                         [](const auto& addr) {
                           return std::string(addr.param) == "::1" ? "IPv6" : "IPv4";
                         });

TEST_P(LoopbackTest, CountsADatagramOnce) {
  const NetNs ns;
  Watcher watcher(ns, {"lo"});
  const Ends ends = {self(), 5000, self(), 7000};
  UdpSink sink(ns, ends.dst, ends.dst_port);
  UdpSender(ns, ends).send(1000, 80);
  EXPECT_EQ(sink.receive(1000), 1000U);

  const auto sent = Totals{1, udp_frame(self(), 80)} * 1000;
  EXPECT_EQ(watcher.flow(ends.flow(kUdp, Direction::kEgress), sent), sent);
  // Loopback has frames, but counts what is in them (loopback_xmit()).
  const auto lo = counters_of(ns, "lo");
  const Totals headers = {0, kEthernet * 1000};
  EXPECT_EQ(watcher.everything(), lo.tx + headers);
  const auto duplicate = watcher.accounting().duplicate;
  EXPECT_EQ((Totals{duplicate.packets, duplicate.bytes}), lo.rx + headers);
}

TEST_P(LoopbackTest, CountsBothSidesOfAConnectionOnce) {
  const NetNs ns;
  Watcher watcher(ns, {"lo"});
  const Ends ends = {self(), 5000, self(), 7000};
  const auto outcome = transfer_tcp(ns, ns, ends, 30'000'000, 2'000'000);

  const auto there = ends.flow(kTcp, Direction::kEgress);
  const auto back = ends.reversed().flow(kTcp, Direction::kEgress);
  const auto total = [&] { return watcher.read().total().packets; };
  // A SYN's answer is sent before there is a socket that counts it.
  const std::uint64_t segments =
      std::uint64_t{outcome.client.tcpi_segs_out} + outcome.server.tcpi_segs_out + 1;
  EXPECT_EQ(settled(total, segments), segments);
  EXPECT_EQ(watcher.ledger().of(there).packets, outcome.client.tcpi_segs_out);
  EXPECT_EQ(watcher.ledger().of(back).packets, outcome.server.tcpi_segs_out + 1U);
  EXPECT_EQ(watcher.ledger().size(), 2U);
}

TEST_P(LoopbackTest, LeavesOutTheAgentsOwnPortHereButNotElsewhere) {
  const NetNs ns;
  Watcher watcher(ns, {"lo"});
  watcher.source().leave_out_port(9090);
  const Ends own = {self(), 5000, self(), 9090};
  const Ends other = {self(), 5000, self(), 9091};
  transfer_tcp(ns, ns, own, 100'000, 100'000);
  const auto outcome = transfer_tcp(ns, ns, other, 100'000, 100'000);

  const std::uint64_t segments = outcome.client.tcpi_segs_out;
  EXPECT_EQ(settled([&] { return watcher.read().of(other.flow(kTcp, Direction::kEgress)).packets; },
                    segments),
            segments);
  EXPECT_EQ(watcher.ledger().size(), 2U);
  EXPECT_GT(watcher.accounting().own.packets, 0U);
}

}  // namespace
}  // namespace orb8::netns
