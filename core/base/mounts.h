// What is mounted where, as the kernel tells this process.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace orb8 {

struct Mount {
  std::string of;  // the folder of its file system that is mounted: "/" for all of it
  std::string at;
};

// Below `root`: "" for this machine; tests put a made-up /proc there.
std::vector<Mount> mounts_of_type(const std::string& root, const std::string& type);

// Where cgroup v2 is mounted: /sys/fs/cgroup on most machines, a folder below it on hybrid ones;
// the whole hierarchy rather than a part of it. Empty: nowhere.
std::string find_cgroup2_mount(const std::string& root);

}  // namespace orb8
