// With UDP left out, a packet of TCP meets no program at all: what runs is what a connection's
// state changes and a snapshot's sockets ask for.
// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>

#include "core/base/mounts.h"
#include "core/base/unique_fd.h"
#include "core/source/socket_source.h"
#include "tests/bpf_ids.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/topology.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Key;

constexpr std::uint64_t kPackets = 10'000;
constexpr std::uint64_t kMss = 65'483;  // of loopback

// How often each program ran that this process has loaded, by name, as its descriptors tell.
std::map<std::string, std::uint64_t> runs_of_own_programs() {
  std::map<std::string, std::uint64_t> runs;
  for (const auto id : bpf_ids(::getpid(), "prog_id:")) {
    const UniqueFd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info = {};
    std::uint32_t size = sizeof(info);
    if (!program || bpf_prog_get_info_by_fd(program.get(), &info, &size) != 0) continue;
    runs[static_cast<const char*>(info.name)] = info.run_cnt;
  }
  return runs;
}

class UdpOff : public NetnsTest {
 protected:
  // What ran while much TCP went over loopback. A program that did not run is not in it.
  std::map<std::string, std::uint64_t> runs_during_transfer(bool udp) {
    auto source = SocketSource::open({.udp = udp, .cgroup_mount = find_cgroup2_mount("")});
    EXPECT_TRUE(source) << source.error().what;
    if (!source) return {};
    const auto before = runs_of_own_programs();
    const Ends ends = {Addr::v4(127, 0, 0, 1), 5000, Addr::v4(127, 0, 0, 1), 7000};
    const auto outcome = transfer_tcp(ns_, ns_, ends, kPackets * kMss, 100'000);
    packets_ = outcome.client.tcpi_segs_out + outcome.server.tcpi_segs_out;
    EXPECT_TRUE((*source)->collect([](const FlowRecord&) {}));
    auto runs = runs_of_own_programs();
    for (const auto& [name, count] : before) {
      runs[name] -= count;
      if (runs[name] == 0) runs.erase(name);
    }
    return runs;
  }

  NetNs ns_;
  std::uint64_t packets_ = 0;

 private:
  UniqueFd stats_{bpf_enable_stats(BPF_STATS_RUN_TIME)};  // counted while this is open
};

TEST_F(UdpOff, RunsNoProgramForAPacketOfTcp) {
  const auto runs = runs_during_transfer(false);
  EXPECT_GE(packets_, kPackets);
  ASSERT_THAT(runs, Contains(Key("orb8_sock_state"))) << "counting runs is what this stands on";
  // Others on this machine open connections too: far fewer than there were packets.
  EXPECT_LT(runs.at("orb8_sock_state"), kPackets / 10);
  for (const auto& [name, count] : runs) {
    EXPECT_THAT(name, AnyOf("orb8_sock_state", "orb8_sock_gone", "orb8_snap_slots",
                            "orb8_snap_socks", "orb8_snap_liste", "orb8_find_socks", "orb8_clock"))
        << "ran " << count << " times";
  }
}

// That the test above can see one.
TEST_F(UdpOff, IsTheSwitchThatMakesTheDifference) {
  const auto runs = runs_during_transfer(true);
  ASSERT_THAT(runs, Contains(Key("orb8_skb_in")));
  EXPECT_GE(runs.at("orb8_skb_in"), kPackets / 10);
}

TEST_F(UdpOff, AttachesToNothingButStateChanges) {
  const auto source = SocketSource::open({.udp = false, .cgroup_mount = find_cgroup2_mount("")});
  ASSERT_TRUE(source) << source.error().what;
  const auto programs = (*source)->status().programs;
  ASSERT_EQ(programs.size(), 2U);
  for (const auto& program : programs) {
    EXPECT_THAT(program.interface, AnyOf("inet_sock_set_state", "tcp_destroy_sock"));
    EXPECT_EQ(program.mechanism, "tp_btf");
  }
}

}  // namespace
}  // namespace orb8::netns
