// What flow_source auto takes where the sockets cannot be had. Each try is in a process of its own,
// which takes from itself what is missing.
// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/open_source.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "core/base/mounts.h"
#include "tests/netns/child.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

void enter_mounts_of_its_own() {
  must(::unshare(CLONE_NEWNS), "make a mount namespace");
  must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "keep mounts to ourselves");
}

void unmount_cgroup2() {
  enter_mounts_of_its_own();
  for (auto at = find_cgroup2_mount(""); !at.empty(); at = find_cgroup2_mount("")) {
    must(::umount2(at.c_str(), MNT_DETACH), "unmount cgroup v2");
  }
}

void hide_btf() {
  enter_mounts_of_its_own();
  must(::mount("none", "/sys/kernel/btf", "tmpfs", 0, nullptr), "hide the kernel's BTF");
}

void keep_capabilities(std::uint64_t wanted) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  for (auto half : {0U, 1U}) {
    data[half].effective = data[half].permitted = static_cast<std::uint32_t>(wanted >> 32 * half);
  }
  must(::syscall(SYS_capset, &header, &data), "give capabilities up");
}

// "tc: why", or "none: why not", and the components that are not well; as they are there.
std::string what_opens(const Config& config = {}) {
  const auto source = open_source(config);
  if (!source) return "none: " + source.error().what;
  const auto status = (*source)->status();
  auto said = status.name + ": " + status.reason;
  for (const auto& component : status.components) {
    if (!component.healthy) said += "; " + component.name + ": " + component.reason;
  }
  return said;
}

// Throws where the words are not in it.
void expect_after(const std::function<void()>& lose, const std::string& words,
                  const Config& config = {}) {
  const NetNs ns;
  const Child child([&] {
    static const auto here = ns.enter();  // no way back: that takes CAP_SYS_ADMIN
    lose();
    const auto said = what_opens(config);
    if (said.find(words) == std::string::npos) throw std::runtime_error(said);
  });
}

TEST_F(SocketSourceTest, IsWhatAutoTakesWhereNothingIsMissing) {
  const NetNs ns;
  const auto here = ns.enter();
  EXPECT_EQ(what_opens(), "socket: auto: this kernel has what it needs");
}

TEST_F(SocketSourceTest, LeavesAutoToTcWhereCgroup2IsNotMounted) {
  EXPECT_NO_THROW(
      expect_after(unmount_cgroup2, "tc: auto: not socket, as cgroup v2 is mounted nowhere"));
}

TEST_F(SocketSourceTest, LeavesAutoToTcWhereTheKernelsBtfCannotBeRead) {
  EXPECT_NO_THROW(expect_after(hide_btf,
                               "tc: auto: not socket, as flows of sockets need the kernel's BTF: "
                               "/sys/kernel/btf/vmlinux cannot be read"));
}

TEST_F(SocketSourceTest, SaysThatItNeedsTheKernelsBtfWhereNothingElseWillDo) {
  EXPECT_NO_THROW(expect_after(hide_btf,
                               "none: flows of sockets need the kernel's BTF: "
                               "/sys/kernel/btf/vmlinux cannot be read",
                               {.flow_source = FlowSourceChoice::kSocket}));
}

// A kernel that was built without BTF may refuse the programs of TC as well.
TEST_F(SocketSourceTest, RemindsOfTheBtfThatIsMissingWhereTcDoesNotOpenEither) {
  const auto lose = [] {
    hide_btf();
    keep_capabilities(1ULL << CAP_BPF | 1ULL << CAP_NET_ADMIN);
  };
  EXPECT_NO_THROW(expect_after(lose, "none: load the network probe: "));
  EXPECT_NO_THROW(expect_after(lose, "; /sys/kernel/btf/vmlinux cannot be read"));
}

// Programs that trace need CAP_PERFMON, and so do those of TC, which look at packets' bounds.
TEST_F(SocketSourceTest, NamesThePermissionThatBothSourcesLack) {
  const auto lose = [] { keep_capabilities(1ULL << CAP_BPF | 1ULL << CAP_NET_ADMIN); };
  EXPECT_NO_THROW(expect_after(lose, "none: load the network probe: "));
}

// And not CAP_SYS_ADMIN.
TEST_F(SocketSourceTest, IsWhatAutoTakesWithThreeCapabilities) {
  const auto lose = [] {
    keep_capabilities(1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_NET_ADMIN);
  };
  EXPECT_NO_THROW(expect_after(lose, "socket: auto: this kernel has what it needs"));
}

}  // namespace
}  // namespace orb8::netns
