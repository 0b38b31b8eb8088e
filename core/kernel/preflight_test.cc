// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace orb8 {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

// A made-up /proc and /sys of a machine that has everything.
class Preflight : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orb8-preflight-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    write("/sys/kernel/btf/vmlinux", "btf");
    write("/proc/self/status", "Name:\torb8\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
    write("/proc/self/uid_map", "         0          0 4294967295\n");
    write("/proc/self/mountinfo",
          "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
          "31 1 0:12 / /sys/kernel/tracing rw,nosuid shared:10 - tracefs tracefs rw\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  std::vector<PreflightCheck> run(const std::string& release = "6.1.0-13-amd64") const {
    return run_preflight({.root = root_, .kernel_release = release, .raise_memlock = [this] {
                            ++raised_;
                            return memlock_bytes_;
                          }});
  }

  PreflightCheck check(const std::string& name, const std::string& release = "6.1.0") const {
    for (auto& one : run(release)) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no check is called " << name;
    return {};
  }

  std::string root_;
  std::uint64_t memlock_bytes_ = UINT64_MAX;
  mutable int raised_ = 0;
};

TEST_F(Preflight, PassesOnAMachineThatHasEverything) {
  EXPECT_TRUE(passed(run()));
  for (const auto& one : run()) EXPECT_EQ(one.outcome, CheckOutcome::kOk) << to_line(one);
}

TEST_F(Preflight, ComparesKernelVersionsAsNumbers) {
  EXPECT_EQ(check("kernel", "5.8.0").outcome, CheckOutcome::kOk);
  EXPECT_EQ(check("kernel", "5.10.0-30-cloud-amd64").outcome, CheckOutcome::kOk);
  EXPECT_EQ(check("kernel", "5.7.19").outcome, CheckOutcome::kFailed);
  EXPECT_EQ(check("kernel", "4.18.0-553.el8").outcome, CheckOutcome::kFailed);
  EXPECT_EQ(check("kernel", "odd").outcome, CheckOutcome::kFailed);
}

TEST_F(Preflight, SaysWhatToDoWithoutBtf) {
  fs::remove(root_ + "/sys/kernel/btf/vmlinux");
  EXPECT_EQ(to_line(check("BTF")),
            "BTF: /sys/kernel/btf/vmlinux cannot be read: flows of sockets are not seen; run a "
            "kernel built with CONFIG_DEBUG_INFO_BTF=y; in a container, mount the host's /sys");
  EXPECT_EQ(check("BTF").outcome, CheckOutcome::kWarning);
  EXPECT_TRUE(passed(run())) << "packets are counted without";
}

TEST_F(Preflight, NamesEachMissingCapability) {
  write("/proc/self/status", "CapEff:\t0000000000000000\n");
  EXPECT_EQ(check("capabilities").detail,
            "missing CAP_BPF (or CAP_SYS_ADMIN), CAP_NET_ADMIN, CAP_PERFMON (or CAP_SYS_ADMIN)");
  write("/proc/self/status", "CapEff:\t000000c000000000\n");  // BPF and PERFMON
  EXPECT_EQ(check("capabilities").detail, "missing CAP_NET_ADMIN");
  write("/proc/self/status", "CapEff:\t0000008000001000\n");  // BPF and NET_ADMIN
  EXPECT_EQ(check("capabilities").detail, "missing CAP_PERFMON (or CAP_SYS_ADMIN)");
  write("/proc/self/status", "CapEff:\t0000004000001000\n");  // PERFMON and NET_ADMIN
  EXPECT_EQ(check("capabilities").detail, "missing CAP_BPF (or CAP_SYS_ADMIN)");
  write("/proc/self/status", "CapEff:\t000000c000001000\n");  // the three
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kOk);
  write("/proc/self/status", "CapEff:\t0000000000201000\n");  // SYS_ADMIN and NET_ADMIN
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kOk);
}

TEST_F(Preflight, TellsAUserHowToBecomeRoot) {
  write("/proc/self/status", "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n");
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kFailed);
  EXPECT_EQ(to_line(check("capabilities")),
            "capabilities: not root (user 1000), and missing CAP_BPF (or CAP_SYS_ADMIN), "
            "CAP_NET_ADMIN, CAP_PERFMON (or CAP_SYS_ADMIN); run with sudo, or setcap "
            "cap_bpf,cap_net_admin,cap_perfmon+ep on the program");
  write("/proc/self/status", "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t000000c000001000\n");
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kOk) << "setcap is enough";
}

TEST_F(Preflight, TellsRootInAContainerWhatThePodNeeds) {
  write("/proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\n");  // the runtimes' set
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kFailed);
  EXPECT_EQ(to_line(check("capabilities")),
            "capabilities: missing CAP_BPF (or CAP_SYS_ADMIN), CAP_NET_ADMIN, CAP_PERFMON "
            "(or CAP_SYS_ADMIN); add them to the container's securityContext.capabilities, or run "
            "it privileged");
}

TEST_F(Preflight, IsNotFooledByTheRootOfAUserNamespace) {
  write("/proc/self/uid_map", "         0       1000          1\n");
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kFailed);
  EXPECT_THAT(check("capabilities").detail, HasSubstr("user namespace"));
}

TEST_F(Preflight, OnlyWarnsWithoutProc) {
  fs::remove_all(root_ + "/proc");
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kWarning);
  EXPECT_EQ(check("cgroup v2").outcome, CheckOutcome::kWarning);
}

TEST_F(Preflight, LeavesLockedMemoryAloneWhereItDoesNotMatter) {
  memlock_bytes_ = 65536;
  EXPECT_EQ(check("memlock", "5.11.0").outcome, CheckOutcome::kOk);
  EXPECT_EQ(raised_, 0);
}

TEST_F(Preflight, RaisesLockedMemoryOnOldKernels) {
  EXPECT_EQ(to_line(check("memlock", "5.10.0")), "memlock: unlimited");
  EXPECT_EQ(raised_, 1);
  memlock_bytes_ = 65536;
  EXPECT_EQ(check("memlock", "5.10.0").outcome, CheckOutcome::kFailed);
  EXPECT_THAT(to_line(check("memlock", "5.10.0")),
              HasSubstr("memlock: 64 KiB, and it cannot be raised; add CAP_SYS_RESOURCE"));
  memlock_bytes_ = 512U << 20U;
  EXPECT_EQ(check("memlock", "5.10.0").outcome, CheckOutcome::kWarning);
}

TEST_F(Preflight, SaysAllThatFailedInOneSentence) {
  write("/proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t0000000000200000\n");
  EXPECT_EQ(failure_text(run("5.7.19")),
            "kernel: 5.7.19 (5.8 or later is needed): run on Linux 5.8 or later; "
            "capabilities: missing CAP_NET_ADMIN: add them to the container's "
            "securityContext.capabilities, or run it privileged");
}

TEST_F(Preflight, FindsTracefsWhereDebugfsHasIt) {
  write("/proc/self/mountinfo", "30 1 0:7 / /sys/kernel/debug rw - debugfs debugfs rw\n");
  write("/sys/kernel/debug/tracing/events/enable", "0");
  EXPECT_EQ(to_line(check("tracefs")), "tracefs: mounted at /sys/kernel/debug/tracing");
}

TEST_F(Preflight, OnlyWarnsWhereFlowsStillWork) {
  write("/proc/self/mountinfo", "30 1 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n");
  EXPECT_EQ(check("cgroup v2").outcome, CheckOutcome::kWarning);
  EXPECT_EQ(check("tracefs").outcome, CheckOutcome::kWarning);
  EXPECT_EQ(to_line(check("tracefs")),
            "tracefs: not mounted: network flows do not need it; mount -t tracefs tracefs "
            "/sys/kernel/tracing");
  EXPECT_TRUE(passed(run()));
}

// What a test runner is and has differs; that each check says something does not.
TEST(PreflightHere, SaysALineForEachCheckOfThisMachine) {
  const auto checks = run_preflight({});
  EXPECT_EQ(checks.size(), 6U);
  for (const auto& one : checks) {
    EXPECT_FALSE(one.detail.empty()) << one.name;
    EXPECT_EQ(one.remedy.empty(), one.outcome == CheckOutcome::kOk) << to_line(one);
    EXPECT_EQ(to_line(one).find('\n'), std::string::npos) << to_line(one);
  }
}

}  // namespace
}  // namespace orb8
