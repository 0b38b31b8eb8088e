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
    write("/sys/kernel/tracing/events/enable", "0");
    write("/proc/self/status", "Name:\torb8\nCapEff:\t000001ffffffffff\n");
    write("/proc/self/mountinfo",
          "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  std::vector<PreflightCheck> run(const std::string& release = "6.1.0-13-amd64") const {
    return run_preflight({.root = root_, .kernel_release = release});
  }

  PreflightCheck check(const std::string& name, const std::string& release = "6.1.0") const {
    for (auto& one : run(release)) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no check is called " << name;
    return {};
  }

  std::string root_;
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
            "FAIL  BTF: /sys/kernel/btf/vmlinux cannot be read; run a kernel built with "
            "CONFIG_DEBUG_INFO_BTF=y; in a container, mount the host's /sys");
  EXPECT_FALSE(passed(run()));
}

TEST_F(Preflight, NamesEachMissingCapability) {
  write("/proc/self/status", "CapEff:\t0000000000000000\n");
  EXPECT_EQ(check("capabilities").detail,
            "missing CAP_BPF (or CAP_SYS_ADMIN), CAP_NET_ADMIN, CAP_PERFMON (or CAP_SYS_ADMIN)");
  EXPECT_THAT(failure_text(run()), HasSubstr("run as root (sudo)"));
  write("/proc/self/status", "CapEff:\t000000c000000000\n");  // BPF and PERFMON
  EXPECT_EQ(check("capabilities").detail, "missing CAP_NET_ADMIN");
  write("/proc/self/status", "CapEff:\t0000000000201000\n");  // SYS_ADMIN and NET_ADMIN
  EXPECT_EQ(check("capabilities").outcome, CheckOutcome::kOk);
}

TEST_F(Preflight, FindsCgroup2OnAHybridMachine) {
  write("/proc/self/mountinfo",
        "30 1 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro\n"
        "31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "32 30 0:28 / /sys/fs/cgroup/unified rw shared:10 master:2 - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(find_cgroup2_mount(root_), "/sys/fs/cgroup/unified");
}

TEST_F(Preflight, OnlyWarnsWhereFlowsStillWork) {
  write("/proc/self/mountinfo", "30 1 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n");
  fs::remove_all(root_ + "/sys/kernel/tracing");
  EXPECT_EQ(check("cgroup v2").outcome, CheckOutcome::kWarning);
  EXPECT_EQ(check("tracefs").outcome, CheckOutcome::kWarning);
  EXPECT_THAT(check("tracefs").remedy, HasSubstr("mount -t tracefs"));
  EXPECT_TRUE(passed(run()));
}

}  // namespace
}  // namespace orb8
