// With UDP left out, a packet of TCP meets no program at all: what runs is what the changes of a
// connection's state ask for, however many packets it has.
// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

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
using testing::IsSubsetOf;

constexpr std::uint64_t kFew = 1'000;  // packets
constexpr std::uint64_t kMany = 50'000;
constexpr std::uint64_t kMore = kMany - kFew;
constexpr std::uint64_t kMss = 1448;  // of a packet of 1500 bytes

// How often programs ran, by the names that the kernel has of them.
using Runs = std::map<std::string, std::uint64_t>;

// Of the programs that this process has loaded, as its descriptors tell.
Runs runs_of_own_programs() {
  Runs runs;
  for (const auto id : bpf_ids(::getpid(), "prog_id:")) {
    const UniqueFd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info = {};
    std::uint32_t size = sizeof(info);
    if (!program || bpf_prog_get_info_by_fd(program.get(), &info, &size) != 0) continue;
    runs[static_cast<const char*>(info.name)] += info.run_cnt;
  }
  return runs;
}

std::set<std::string> names_of(const Runs& runs) {
  std::set<std::string> names;
  for (const auto& [name, count] : runs) names.insert(name);
  return names;
}

std::uint64_t total(const Runs& runs) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : runs) sum += count;
  return sum;
}

std::set<std::string> attached_programs(const FlowSource& source) {
  std::set<std::string> names;
  for (const auto& program : source.status().programs) {
    names.insert(program.program.substr(0, BPF_OBJ_NAME_LEN - 1));
  }
  return names;
}

class UdpOff : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ns_.emplace();
    // So that what comes in is a packet each, and not 45 in one.
    ns_->sh("ip link set lo mtu 1500; ethtool -K lo tso off gso off gro off >/dev/null");
  }

  static std::unique_ptr<FlowSource> open(bool udp) {
    auto source = SocketSource::open({.udp = udp, .cgroup_mount = find_cgroup2_mount("")});
    if (!source) throw std::runtime_error(source.error().what);
    return std::move(*source);
  }

  // What ran while one connection over loopback took so many packets for its bytes. A program that
  // did not run is not in it.
  Runs runs_during(std::uint64_t packets) const {
    const auto before = runs_of_own_programs();
    const Ends ends = {Addr::v4(127, 0, 0, 1), 5000, Addr::v4(127, 0, 0, 1), 7000};
    const auto outcome = transfer_tcp(*ns_, *ns_, ends, packets * kMss, 1);
    auto runs = runs_of_own_programs();
    for (const auto& [name, count] : before) runs[name] -= count;
    std::erase_if(runs, [](const auto& run) { return run.second == 0; });
    EXPECT_GE(outcome.client.tcpi_segs_out, packets);
    return runs;
  }

 private:
  std::optional<NetNs> ns_;
  UniqueFd stats_{bpf_enable_stats(BPF_STATS_RUN_TIME)};  // counted while this is open
};

TEST_F(UdpOff, RunsNoProgramForAPacketOfTcp) {
  const auto source = open(false);
  Runs few;
  Runs many;
  // Others on this machine open connections too, by fits and starts; packets come each time.
  eventually([&] {
    few = runs_during(kFew);
    many = runs_during(kMany);
    return total(many) < total(few) + kMore / 10;
  });
  EXPECT_LT(total(many), total(few) + kMore / 10);
  EXPECT_GT(total(few), 0U) << "counting runs is what this stands on";
  EXPECT_THAT(names_of(many), IsSubsetOf(attached_programs(*source)));
}

// That the test above can see one: it runs for each packet that comes in. On their way out many are
// one still, whatever the interface can do.
TEST_F(UdpOff, IsTheSwitchThatMakesTheDifference) {
  const auto source = open(true);
  const auto few = runs_during(kFew);
  const auto many = runs_during(kMany);
  EXPECT_GE(total(many), total(few) + kMore);
}

TEST_F(UdpOff, AttachesToNothingButStateChanges) {
  const auto source = open(false);
  const auto programs = source->status().programs;
  ASSERT_EQ(programs.size(), 2U);
  for (const auto& program : programs) {
    EXPECT_THAT(program.interface, AnyOf("inet_sock_set_state", "tcp_destroy_sock"));
    EXPECT_EQ(program.mechanism, "tp_btf");
  }
}

}  // namespace
}  // namespace orb8::netns
