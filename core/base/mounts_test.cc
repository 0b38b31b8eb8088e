// SPDX-License-Identifier: Apache-2.0
#include "core/base/mounts.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace orb8 {
namespace {

namespace fs = std::filesystem;

// A made-up /proc with a mount table.
class Mounts : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orb8-mounts-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    fs::create_directories(root_ + "/proc/self");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write_table(const std::string& text) const {
    std::ofstream(root_ + "/proc/self/mountinfo") << text;
  }

  std::string root_;
};

TEST_F(Mounts, FindsCgroup2OnAHybridMachine) {
  write_table(
      "30 1 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro\n"
      "31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "32 30 0:28 / /sys/fs/cgroup/unified rw shared:10 master:2 - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(find_cgroup2_mount(root_), "/sys/fs/cgroup/unified");
}

TEST_F(Mounts, PrefersTheWholeCgroupHierarchyToAPart) {
  write_table(
      "30 1 0:26 /kubepods/pod1 /mnt/part rw - cgroup2 cgroup2 rw\n"
      "31 1 0:26 / /mnt/all\\040of\\040it rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(find_cgroup2_mount(root_), "/mnt/all of it");
  write_table("30 1 0:26 /.. /mnt/part rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(find_cgroup2_mount(root_), "/mnt/part");
}

TEST_F(Mounts, PassesOverLinesOfTheMountTableThatMakeNoSense) {
  write_table("\n - \n30 - cgroup2\nx - cgroup2 \n30 1 0:26 / /a rw - cgroup2\n");
  EXPECT_EQ(find_cgroup2_mount(root_), "");
}

}  // namespace
}  // namespace orb8
