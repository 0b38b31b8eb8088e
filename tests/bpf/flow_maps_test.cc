// The kernel's flow entries as user space reads and takes them.
// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/flow_maps.h"

#include <netinet/in.h>

#include <thread>
#include <unordered_map>

#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

class FlowMapsTest : public ProbeRun {
 protected:
  using Seen = std::unordered_map<FlowKey, std::vector<orb8_flow_stats>, FlowKeyHash>;

  int v4_fd() const { return bpf_map__fd(skeleton()->maps.orb8_flows_v4); }
  int v6_fd() const { return bpf_map__fd(skeleton()->maps.orb8_flows_v6); }
  FlowMaps maps() const { return {v4_fd(), v6_fd()}; }

  // Entries told apart by their source port, and by `packets`, which repeats it.
  void add_v4(std::uint16_t port, std::uint8_t dir = ORB8_EGRESS) const {
    orb8_v4_key key = {};
    key.saddr_be = htonl(0x0a000001);
    key.daddr_be = htonl(0x0a000002);
    key.sport_be = htons(port);
    key.dport_be = htons(443);
    key.proto = IPPROTO_TCP;
    const orb8_flow_stats stats = {.packets = port, .bytes = std::uint64_t{port} * 100, .dir = dir};
    ASSERT_EQ(bpf_map_update_elem(v4_fd(), &key, &stats, BPF_ANY), 0);
  }
  void add_v6(std::uint16_t port) const {
    orb8_v6_key key = {};
    key.saddr[0] = 0xfd;
    key.daddr[15] = 9;
    key.sport_be = htons(port);
    key.proto = IPPROTO_UDP;
    const orb8_flow_stats stats = {.packets = port};
    ASSERT_EQ(bpf_map_update_elem(v6_fd(), &key, &stats, BPF_ANY), 0);
  }

  Seen read_all(FlowMaps& flows) const {
    Seen seen;
    const auto ok = flows.for_each(
        [&](const FlowKey& key, const orb8_flow_stats& stats) { seen[key].push_back(stats); });
    EXPECT_TRUE(ok) << ok.error().what;
    return seen;
  }
};

// All zero when there was none.
orb8_flow_stats taken(FlowMaps& flows, const FlowKey& key) {
  return flows.take(key).value_or(orb8_flow_stats{});
}

TEST_F(FlowMapsTest, ReadsNothingFromEmptyMaps) {
  auto flows = maps();
  EXPECT_TRUE(read_all(flows).empty());
}

TEST_F(FlowMapsTest, ReadsEachOfManyEntriesOfBothFamiliesOnce) {
  constexpr std::uint16_t kEach = 5000;
  for (std::uint16_t port = 1; port <= kEach; ++port) {
    add_v4(port);
    add_v6(port);
  }
  auto flows = maps();
  for (int time = 0; time < 2; ++time) {  // buffers are used again
    const auto seen = read_all(flows);
    EXPECT_EQ(seen.size(), 2U * kEach);
    for (const auto& [key, entries] : seen) {
      ASSERT_EQ(entries.size(), 1U) << key.src_port;
      ASSERT_EQ(entries[0].packets, key.src_port) << "a value belongs to its key";
    }
  }
}

TEST_F(FlowMapsTest, ReadsEntriesThatStayOnceWhileOthersComeAndGo) {
  constexpr std::uint16_t kStay = 3000;
  for (std::uint16_t port = 1; port <= kStay; ++port) add_v4(port);
  const std::jthread churn([this](const std::stop_token& stop) {
    auto flows = maps();
    for (std::uint16_t port = kStay + 1; !stop.stop_requested();
         port = port == 60'000 ? kStay + 1 : port + 1) {
      add_v4(port);
      flows.take(v4_flow(IPPROTO_TCP, port, 443));
    }
  });
  auto flows = maps();
  for (int time = 0; time < 20; ++time) {
    const auto seen = read_all(flows);
    for (std::uint16_t port = 1; port <= kStay; ++port) {
      auto key = v4_flow(IPPROTO_TCP, port, 443);
      key.direction = Direction::kEgress;
      const auto found = seen.find(key);
      ASSERT_NE(found, seen.end()) << port;
      ASSERT_EQ(found->second.size(), 1U) << port;
    }
  }
}

TEST_F(FlowMapsTest, GivesTheKeyTheEntrysDirectionAndHostOrderPorts) {
  add_v4(1234, ORB8_EGRESS);
  auto flows = maps();
  const auto seen = read_all(flows);
  ASSERT_EQ(seen.size(), 1U);
  const auto& key = seen.begin()->first;
  EXPECT_EQ(key.src, Addr::v4(10, 0, 0, 1));
  EXPECT_EQ(key.dst, Addr::v4(10, 0, 0, 2));
  EXPECT_EQ(key.src_port, 1234);
  EXPECT_EQ(key.dst_port, 443);
  EXPECT_EQ(key.protocol, IPPROTO_TCP);
  EXPECT_EQ(key.direction, Direction::kEgress);
}

TEST_F(FlowMapsTest, TakesTheLastStateAndTheEntryWithIt) {
  for (int i = 0; i < 3; ++i) run(udp4());
  auto flows = maps();
  const auto last = taken(flows, v4_flow(IPPROTO_UDP, 4242, 53));
  EXPECT_EQ(last.packets, 3U);
  EXPECT_EQ(last.bytes, 3 * udp4().size());
  EXPECT_EQ(flow_count(), 0U);
  EXPECT_FALSE(flows.take(v4_flow(IPPROTO_UDP, 4242, 53))) << "it was there once";

  run(udp4());
  const auto next = taken(flows, v4_flow(IPPROTO_UDP, 4242, 53));
  EXPECT_EQ(next.packets, 1U);
  EXPECT_GT(next.first_ns, last.first_ns) << "another incarnation";
}

TEST_F(FlowMapsTest, TakesOneEntryAndLeavesTheOthers) {
  for (std::uint16_t port = 1; port <= 10; ++port) {
    add_v4(port);
    add_v6(port);
  }
  auto flows = maps();
  EXPECT_EQ(taken(flows, v4_flow(IPPROTO_TCP, 4, 443)).packets, 4U);
  EXPECT_EQ(flow_count(), 19U);
  EXPECT_FALSE(flows.take(v4_flow(IPPROTO_UDP, 5, 443))) << "another protocol";
  EXPECT_FALSE(flows.take(v4_flow(IPPROTO_TCP, 5, 444))) << "another port";
  EXPECT_EQ(flow_count(), 19U);
}

TEST(TcpFlagsOf, JoinsTheByteAndTheArrayThatNoRaceCanLose) {
  orb8_flow_stats stats = {};
  EXPECT_EQ(tcp_flags_of(stats), 0);
  stats.tcp_flags = kTcpAck;
  stats.flag_seen[1] = 1;
  EXPECT_EQ(tcp_flags_of(stats), kTcpAck | kTcpSyn);
  for (auto& seen : stats.flag_seen) seen = 1;
  EXPECT_EQ(tcp_flags_of(stats), 0xff);
}

}  // namespace
}  // namespace orb8
