// A packet that crosses several hooks counts at one of them.
// SPDX-License-Identifier: Apache-2.0
#include <net/if.h>
#include <netinet/in.h>

#include "tests/bpf/probe_run.h"
#include "tests/need.h"

namespace orb8 {
namespace {

const RunOptions kIn = {.direction = Direction::kIngress};
const RunOptions kOut = {.direction = Direction::kEgress};

class Anchor : public ProbeRun {
 protected:
  // As if the flow's last packet had come so much earlier.
  void age(std::uint64_t jiffies) const {
    auto stats = flow(key_);
    stats.last_jiffies -= jiffies;
    orb8_v4_key key = {};
    const int fd = bpf_map__fd(skeleton()->maps.orb8_flows_v4);
    ASSERT_EQ(bpf_map_get_next_key(fd, nullptr, &key), 0);
    ASSERT_EQ(bpf_map_update_elem(fd, &key, &stats, BPF_EXIST), 0);
  }
  std::uint64_t takeover_jiffies() const { return skeleton()->rodata->constants.takeover_jiffies; }
  orb8_flow_stats stats() const { return flow(key_); }

 private:
  FlowKey key_ = v4_flow(IPPROTO_UDP, 4242, 53);
};

TEST_F(Anchor, CountsAPacketThatCrossesTwoHooksOnce) {
  for (int i = 0; i < 10; ++i) {
    run(udp4(), kIn);
    run(udp4(), kOut);
  }
  EXPECT_EQ(stats().packets, 10U);
  EXPECT_EQ(stats().bytes, 10 * udp4().size());
  EXPECT_EQ(tally(ORB8_COUNTED).packets, 10U);
  EXPECT_EQ(tally(ORB8_DUPLICATE).packets, 10U);
  EXPECT_EQ(tally(ORB8_DUPLICATE).bytes, 10 * udp4().size());
}

TEST_F(Anchor, IsTheHookThatSawTheFlowFirst) {
  run(udp4(), kOut);
  run(udp4(), kIn);
  EXPECT_EQ(stats().anchor, ORB8_HOOK(kLoopback, ORB8_EGRESS));
  EXPECT_EQ(stats().dir, ORB8_EGRESS);
  EXPECT_EQ(stats().packets, 1U);
}

TEST_F(Anchor, IsOneInterfaceOfSeveral) {
  auto* interfaces = ::if_nameindex();
  ASSERT_TRUE(interfaces);
  std::uint32_t other = 0;
  for (auto* one = interfaces; one->if_index != 0; ++one) {
    if (one->if_index != kLoopback) other = one->if_index;
  }
  ::if_freenameindex(interfaces);
  ORB8_NEED(other != 0, "this machine has no interface beside loopback");
  set_live(other, Direction::kIngress, true);
  run(udp4(), {.ifindex = other});
  run(udp4(), kIn);
  EXPECT_EQ(stats().anchor, ORB8_HOOK(other, ORB8_INGRESS));
  EXPECT_EQ(stats().packets, 1U);
  EXPECT_EQ(tally(ORB8_DUPLICATE).packets, 1U);
}

TEST_F(Anchor, GivesWayAtOnceWhenItsHookIsGone) {
  run(udp4(), kIn);
  set_live(kLoopback, Direction::kIngress, false);
  run(udp4(), kOut);
  EXPECT_EQ(stats().packets, 2U);
  EXPECT_EQ(stats().anchor, ORB8_HOOK(kLoopback, ORB8_EGRESS));
  EXPECT_EQ(stats().dir, ORB8_INGRESS) << "a flow keeps the direction in which it was first seen";
}

TEST_F(Anchor, GivesWayWhenItWasSilentForLong) {
  run(udp4(), kIn);
  age(takeover_jiffies());
  run(udp4(), kOut);
  EXPECT_EQ(stats().packets, 2U);
  EXPECT_EQ(stats().anchor, ORB8_HOOK(kLoopback, ORB8_EGRESS));
  EXPECT_EQ(stats().dir, ORB8_INGRESS);
  run(udp4(), kIn);
  EXPECT_EQ(stats().packets, 2U) << "now the old anchor is the second hook";
  EXPECT_EQ(tally(ORB8_DUPLICATE).packets, 1U);
}

TEST_F(Anchor, StaysWhenItWasSilentForAWhile) {
  run(udp4(), kIn);
  age(takeover_jiffies() / 2);
  run(udp4(), kOut);
  EXPECT_EQ(stats().packets, 1U);
  EXPECT_EQ(stats().anchor, ORB8_HOOK(kLoopback, ORB8_INGRESS));
}

// Or a duplicate each second would keep the flow at a hook that its packets do not cross any more.
TEST_F(Anchor, IsNotKeptAliveByDuplicates) {
  run(udp4(), kIn);
  age(takeover_jiffies() / 2);
  run(udp4(), kOut);
  EXPECT_EQ(stats().packets, 1U);
  age(takeover_jiffies() - takeover_jiffies() / 2);
  run(udp4(), kOut);
  EXPECT_EQ(stats().packets, 2U);
}

}  // namespace
}  // namespace orb8
