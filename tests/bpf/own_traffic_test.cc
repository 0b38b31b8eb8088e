// The agent's own traffic, which is left out.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

class OwnTraffic : public ProbeRun {
 protected:
  void own(const char* address, std::uint16_t port) {
    const auto addr = parse_addr(address).value_or(Addr{});
    const std::uint8_t one = 1;
    ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(skeleton()->maps.orb8_own_addrs), addr.bytes.data(),
                                  &one, BPF_ANY),
              0);
    skeleton()->bss->control.own_port_be = htons(port);
  }
};

TEST_F(OwnTraffic, IsLeftOutBothWays) {
  own("10.0.0.2", 80);
  run(tcp4(0x02));
  run(Packet()
          .ethernet(0x0800)
          .ipv4({.src = "10.0.0.2", .dst = "10.0.0.1", .protocol = IPPROTO_TCP})
          .tcp(80, 4242, 0x12));
  EXPECT_EQ(tally(ORB8_OWN).packets, 2U);
  EXPECT_EQ(flow_count(), 0U);
}

TEST_F(OwnTraffic, IsNotTheSamePortOfAnotherMachine) {
  own("10.0.0.1", 80);  // the client's address: its port is another one
  run(tcp4(0x02));
  EXPECT_EQ(tally(ORB8_OWN).packets, 0U);
  EXPECT_EQ(flow_count(), 1U);
}

TEST_F(OwnTraffic, IsNotUdp) {
  own("10.0.0.2", 53);
  run(udp4());
  EXPECT_EQ(flow_count(), 1U);
}

TEST_F(OwnTraffic, IsLeftOutOfIpv6Too) {
  own("fd00::2", 80);
  run(Packet().ethernet(0x86dd).ipv6({.next = IPPROTO_TCP}).tcp(4242, 80, 0x02));
  run(Packet()
          .ethernet(0x86dd)
          .ipv6({.src = "fd00::2", .dst = "fd00::1", .next = IPPROTO_TCP})
          .tcp(80, 4242, 0x12));
  run(Packet().ethernet(0x86dd).ipv6({.next = IPPROTO_TCP}).tcp(80, 4242, 0x02));
  EXPECT_EQ(tally(ORB8_OWN).packets, 2U);
  EXPECT_EQ(flow_count(), 1U) << "port 80 of another machine";
}

TEST_F(OwnTraffic, MakesNoPacketEvents) {
  own("10.0.0.2", 80);
  set_filters({orb8_packet_filter{}});
  run(tcp4(0x02));
  EXPECT_TRUE(drain(skeleton()->maps.orb8_packets).empty());
}

}  // namespace
}  // namespace orb8
