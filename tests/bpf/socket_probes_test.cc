// The socket probes as the agent loads them.
// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/socket_probes.h"

#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <map>
#include <string>

#include "core/base/mounts.h"
#include "core/base/unique_fd.h"
#include "tests/bpf/probe_run.h"
#include "tests/bpf_ids.h"
#include "tests/need.h"

namespace orb8 {
namespace {

using testing::Key;
using testing::UnorderedElementsAre;

class SocketProbesTest : public ProbeRun {
 protected:
  // How far the verifier walked each of this process's programs that are not in `others`, by name.
  static std::map<std::string, std::uint32_t> walked(const std::set<std::uint32_t>& others) {
    std::map<std::string, std::uint32_t> walked;
    for (const auto id : bpf_ids(::getpid(), "prog_id:")) {
      if (others.contains(id)) continue;
      const UniqueFd program(bpf_prog_get_fd_by_id(id));
      bpf_prog_info info = {};
      std::uint32_t size = sizeof(info);
      EXPECT_EQ(bpf_prog_get_info_by_fd(program.get(), &info, &size), 0);
      walked[static_cast<const char*>(info.name)] = info.verified_insns;
    }
    return walked;
  }
};

TEST_F(SocketProbesTest, LoadsProgramsThatTheVerifierWalksInReasonableTime) {
  const auto mount = find_cgroup2_mount("");
  ORB8_NEED(!mount.empty(), "cgroup v2 is mounted nowhere");
  const auto others = bpf_ids(::getpid(), "prog_id:");
  const auto probes = SocketProbes::open({.cgroup_mount = mount});
  ASSERT_TRUE(probes) << probes.error().what;
  EXPECT_EQ(probes->udp_refused(), "");
  const auto programs = walked(others);  // by names of 15 characters, all that the kernel keeps
  EXPECT_THAT(programs, UnorderedElementsAre(
                            Key("orb8_sock_state"), Key("orb8_sock_gone"), Key("orb8_snap_slots"),
                            Key("orb8_snap_socks"), Key("orb8_snap_liste"), Key("orb8_snap_udp"),
                            Key("orb8_find_socks"), Key("orb8_skb_in"), Key("orb8_skb_out"),
                            Key("orb8_release"), Key("orb8_clock")));
  for (const auto& [name, insns] : programs) {
    EXPECT_GT(insns, 0U) << name << ": the kernel does not say";
    EXPECT_LT(insns, 50'000U) << name;
  }
}

}  // namespace
}  // namespace orb8
