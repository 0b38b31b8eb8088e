// The probes through the class that the agent loads them with.
// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/network_probes.h"

#include <bpf/bpf.h>
#include <netinet/in.h>
#include <sched.h>

#include <algorithm>
#include <ctime>
#include <random>
#include <set>
#include <string>

#include "core/kernel/boot_clock.h"
#include "core/kernel/flow_maps.h"
#include "core/kernel/packet_ring.h"
#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kMaxFlows = 321;
constexpr std::uint32_t kRingBytes = 1U << 16;

class NetworkProbesTest : public ProbeRun {
 protected:
  // One load for all tests, each of which starts without flows, filters and an own port.
  void SetUp() override {
    ProbeRun::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    static auto shared =
        NetworkProbes::load({.max_flows = kMaxFlows, .packet_ring_bytes = kRingBytes});
    ASSERT_TRUE(shared) << shared.error().what;
    probes_ = &*shared;
    auto ring = PacketRing::open(probes_->packet_ring_fd(), [](std::span<const std::byte>) {});
    ASSERT_TRUE(ring) << ring.error().what;
    ring_ = std::make_unique<PacketRing>(std::move(*ring));

    probes_->set_packet_filters({});
    probes_->set_own_port(0);
    set_live_only(Direction::kIngress);
    FlowMaps flows(probes_->flows_v4_fd(), probes_->flows_v6_fd());
    std::vector<FlowKey> keys;
    ASSERT_TRUE(flows.for_each([&](const FlowKey& key, const auto&) { keys.push_back(key); }));
    for (const auto& key : keys) flows.take(key);
    before_ = accounting();
  }

  void set_live_only(Direction live) {
    for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
      ASSERT_TRUE(probes_->set_live(kLoopback, direction, direction == live));
    }
  }
  Accounting accounting() const {
    const auto accounting = probes_->accounting();
    EXPECT_TRUE(accounting);
    return accounting.value_or(Accounting{});
  }
  void observe(const Packet& packet, Direction direction = Direction::kIngress) {
    run_program(probes_->program_fd(direction, LinkLayer::kEthernet), packet, {});
  }
  // Packet events that this packet makes.
  std::size_t events_of(const Packet& packet, Direction direction = Direction::kIngress) {
    observe(packet, direction);
    return ring_->consume(100);
  }

  NetworkProbes* probes_ = nullptr;
  std::unique_ptr<PacketRing> ring_;
  Accounting before_;
};

bpf_map_info map_info(int fd) {
  bpf_map_info info = {};
  std::uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_map_get_info_by_fd(fd, &info, &size), 0);
  return info;
}

bpf_prog_info program_info(int fd) {
  bpf_prog_info info = {};
  std::uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_prog_get_info_by_fd(fd, &info, &size), 0);
  return info;
}

TEST_F(NetworkProbesTest, SizesMapsAsAsked) {
  EXPECT_EQ(map_info(probes_->flows_v4_fd()).max_entries, kMaxFlows);
  EXPECT_EQ(map_info(probes_->flows_v6_fd()).max_entries, kMaxFlows);
  EXPECT_EQ(map_info(probes_->packet_ring_fd()).max_entries, kRingBytes);
}

TEST_F(NetworkProbesTest, RefusesMapsWithoutRoomInWords) {
  const auto refused = NetworkProbes::load({.max_flows = 0});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("load the network probe"), std::string::npos)
      << refused.error().what;
}

TEST_F(NetworkProbesTest, NamesEachProgramAsTheKernelDoes) {
  std::set<std::string> names;
  for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
    for (const auto layer : {LinkLayer::kEthernet, LinkLayer::kNone}) {
      const std::string name(NetworkProbes::program_name(direction, layer));
      EXPECT_EQ(program_info(probes_->program_fd(direction, layer)).name, name.substr(0, 15));
      names.insert(name);
    }
  }
  EXPECT_EQ(names.size(), 4U);
  EXPECT_TRUE(names.contains("network_probe"));
  EXPECT_TRUE(names.contains("network_probe_egress"));
}

// The verifier gives up at a million instructions walked, and takes a second for half of it: one
// branch too many in front of the rest doubles it.
TEST_F(NetworkProbesTest, LoadsProgramsThatTheVerifierWalksInReasonableTime) {
  for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
    for (const auto layer : {LinkLayer::kEthernet, LinkLayer::kNone}) {
      const auto insns = program_info(probes_->program_fd(direction, layer)).verified_insns;
      ASSERT_GT(insns, 0U) << "the kernel does not say";
      EXPECT_LT(insns, 50'000U) << NetworkProbes::program_name(direction, layer);
    }
  }
}

TEST_F(NetworkProbesTest, AddsUpWhatAllCpusTallied) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  std::uint64_t ran = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
    observe(udp4(100));
    observe(Packet().ethernet(0x0806).payload(46));
    ++ran;
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof(allowed), &allowed), 0);
  const auto after = accounting();
  EXPECT_EQ(after.counted.packets - before_.counted.packets, ran);
  EXPECT_EQ(after.counted.bytes - before_.counted.bytes, ran * udp4(100).size());
  EXPECT_EQ(after.not_ip.packets - before_.not_ip.packets, ran);
  EXPECT_EQ(after.not_ip.bytes - before_.not_ip.bytes, ran * 60);
}

TEST_F(NetworkProbesTest, LeavesOutItsOwnPortAtItsOwnAddressesOnly) {
  const auto own = [&] { return accounting().own.packets - before_.own.packets; };
  ASSERT_TRUE(probes_->set_own_addresses(std::vector{Addr::v4(10, 0, 0, 2)}));
  observe(tcp4(kTcpSyn));
  EXPECT_EQ(own(), 0U) << "no port is set";
  probes_->set_own_port(80);
  observe(tcp4(kTcpSyn));
  EXPECT_EQ(own(), 1U);

  ASSERT_TRUE(probes_->set_own_addresses(std::vector{Addr::v4(10, 0, 0, 3)}));
  observe(tcp4(kTcpSyn));
  EXPECT_EQ(own(), 1U) << "the old address is another machine's now";
  ASSERT_TRUE(probes_->set_own_addresses(std::vector{
      Addr::v4(10, 0, 0, 3), parse_addr("fd00::2").value_or(Addr{}), Addr::v4(10, 0, 0, 2)}));
  observe(tcp4(kTcpSyn));
  observe(Packet().ethernet(0x86dd).ipv6({.next = IPPROTO_TCP}).tcp(4242, 80, kTcpSyn));
  EXPECT_EQ(own(), 3U);
  probes_->set_own_port(0);
  observe(tcp4(kTcpSyn));
  EXPECT_EQ(own(), 3U);
}

// The addresses 10.1.x.y from this number on.
std::vector<Addr> many_addresses(std::size_t from, std::size_t count) {
  std::vector<Addr> addresses;
  for (std::size_t i = from; i < from + count; ++i) {
    addresses.push_back(
        Addr::v4(10, 1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)));
  }
  return addresses;
}

TEST_F(NetworkProbesTest, MakesRoomForNewAddressesAndKeepsAsManyAsFit) {
  constexpr std::size_t kRoom = 1024;
  const auto own = [&] {
    observe(tcp4(kTcpSyn));  // to 10.0.0.2
    return accounting().own.packets - before_.own.packets;
  };
  probes_->set_own_port(80);
  ASSERT_TRUE(probes_->set_own_addresses(many_addresses(0, kRoom)));
  EXPECT_EQ(own(), 0U);
  auto others = many_addresses(kRoom, kRoom - 1);
  others.push_back(Addr::v4(10, 0, 0, 2));
  const auto all_new = probes_->set_own_addresses(others);
  ASSERT_TRUE(all_new) << all_new.error().what;
  EXPECT_EQ(own(), 1U);

  // Six that stay, behind more new ones than there is room for.
  auto more = many_addresses(0, kRoom + 5);
  more.push_back(Addr::v4(10, 0, 0, 2));
  const auto too_many = probes_->set_own_addresses(more);
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().what,
            "note 6 of 1030 local addresses, 10.1.3.250 and others: Argument list too long");
  EXPECT_EQ(own(), 2U);
  ASSERT_TRUE(probes_->set_own_addresses(std::vector{Addr::v4(10, 0, 0, 3)}));
  EXPECT_EQ(own(), 2U) << "nothing is left of them";
}

TEST_F(NetworkProbesTest, ForgetsAHookThatItNeverHad) {
  EXPECT_TRUE(probes_->set_live(12345, Direction::kEgress, false));
}

TEST_F(NetworkProbesTest, WidensMoreFiltersThanTheKernelHasSlotsForToEveryPacket) {
  std::vector<PacketFilter> filters(ORB8_FILTER_MAX, PacketFilter{.ports = PortRange{9999, 9999}});
  probes_->set_packet_filters(filters);
  EXPECT_EQ(events_of(udp4()), 0U);
  filters.push_back(filters.back());
  probes_->set_packet_filters(filters);
  EXPECT_EQ(events_of(udp4()), 1U);
  probes_->set_packet_filters({});
  EXPECT_EQ(events_of(udp4()), 0U);
}

// What the kernel evaluates per packet, and what user space evaluates again, must be the same.
TEST_F(NetworkProbesTest, FiltersAsPacketFilterDoes) {
  std::mt19937 random(7);
  const auto below = [&](unsigned n) { return std::uniform_int_distribution(0U, n - 1)(random); };
  const auto chance = [&] { return below(2) == 0; };
  const std::vector<std::string> prefixes = {"0.0.0.0/0",  "::/0",     "10.0.0.0/8", "10.0.0.0/31",
                                             "10.0.0.2",   "10.0.0.3", "fd00::/8",   "fd00::2",
                                             "fd00::/127", "8000::/1", "0.0.0.0/1"};
  const std::uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6};
  const std::uint16_t ports[] = {0, 1, 8, 53, 80};
  const auto random_filter = [&] {
    PacketFilter filter;
    if (chance()) filter.prefix = parse_prefix(prefixes[below(prefixes.size())]);
    if (chance()) {
      const auto [first, last] =
          std::minmax(ports[below(std::size(ports))], ports[below(std::size(ports))]);
      filter.ports = PortRange{first, last};
    }
    filter.prefix_side = static_cast<Side>(below(3));
    filter.port_side = static_cast<Side>(below(3));
    if (chance() && !filter.prefix) filter.version = chance() ? IpVersion::kV4 : IpVersion::kV6;
    if (chance()) filter.protocol = protocols[below(std::size(protocols))];
    if (chance()) filter.direction = static_cast<Direction>(below(2));
    return filter;
  };
  unsigned wanted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<PacketFilter> filters(below(4));
    for (auto& filter : filters) filter = random_filter();
    probes_->set_packet_filters(filters);

    const bool v6 = chance();
    const auto protocol = protocols[below(std::size(protocols))];
    auto key = v6 ? v6_flow(protocol, ports[below(5)], ports[below(5)])
                  : v4_flow(protocol, ports[below(5)], ports[below(5)]);
    key.direction = static_cast<Direction>(below(2));
    set_live_only(key.direction);
    Packet packet;
    if (v6) {
      packet.ethernet(0x86dd).ipv6({.next = protocol});
    } else {
      packet.ethernet(0x0800).ipv4({.protocol = protocol});
    }
    if (is_icmp(protocol)) {
      packet.icmp(static_cast<std::uint8_t>(key.src_port), static_cast<std::uint8_t>(key.dst_port));
    } else {
      packet.tcp(key.src_port, key.dst_port, 0);  // UDP's ports are where TCP's are
    }
    const bool wants = std::ranges::any_of(
        filters, [&](const PacketFilter& filter) { return filter.matches(key); });
    ASSERT_EQ(events_of(packet, key.direction), wants ? 1U : 0U)
        << "round " << round << ", " << filters.size() << " filters, " << to_string(key.src) << ":"
        << key.src_port << " -> " << key.dst_port << " " << protocol_name(protocol);
    wanted += wants ? 1 : 0;
  }
  EXPECT_GT(wanted, 300U) << "both answers are tried";
  EXPECT_LT(wanted, 2700U);
}

std::int64_t read_clock(clockid_t clock) {
  timespec now = {};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

TEST_F(NetworkProbesTest, DatesAFlowByBothKernelClocks) {
  const auto before = read_clock(CLOCK_REALTIME);
  observe(udp4());
  const auto after = read_clock(CLOCK_REALTIME);
  auto clock = BootClock::open(probes_->clock_program_fd());
  ASSERT_TRUE(clock) << clock.error().what;

  const auto stats = FlowMaps(probes_->flows_v4_fd(), probes_->flows_v6_fd())
                         .take(v4_flow(IPPROTO_UDP, 4242, 53))
                         .value_or(orb8_flow_stats{});
  // The wall clock may be slewed meanwhile; a jiffy is as fine as jiffies get.
  constexpr std::int64_t kSlack = 1'000'000;
  EXPECT_GE(clock->wall_ns(stats.first_ns), before - kSlack);
  EXPECT_LE(clock->wall_ns(stats.first_ns), after + kSlack);
  const auto coarse = BootClock::tick_ns() + kSlack;
  EXPECT_GE(clock->wall_of_jiffies(stats.last_jiffies), before - coarse);
  EXPECT_LE(clock->wall_of_jiffies(stats.last_jiffies), after + coarse);
}

}  // namespace
}  // namespace orb8
