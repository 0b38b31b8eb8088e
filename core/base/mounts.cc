// SPDX-License-Identifier: Apache-2.0
#include "core/base/mounts.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

namespace orb8 {
namespace {

// "\040" and its like, as the kernel writes blanks in paths.
std::string unescape(const std::string& field) {
  std::string path;
  for (std::size_t i = 0; i < field.size(); ++i) {
    unsigned code = 0;
    if (field[i] == '\\' && std::sscanf(field.c_str() + i, "\\%3o", &code) == 1) {
      path += static_cast<char>(code);
      i += 3;
    } else {
      path += field[i];
    }
  }
  return path;
}

}  // namespace

std::vector<Mount> mounts_of_type(const std::string& root, const std::string& type) {
  std::vector<Mount> found;
  std::ifstream mounts(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // "36 35 98:0 / /mount/point options [tags] - type source options" (proc_pid_mountinfo(5))
    const auto dash = line.find(" - ");
    if (dash == std::string::npos || !line.substr(dash + 3).starts_with(type + " ")) continue;
    std::istringstream fields(line);
    std::string skipped;
    Mount mount;
    fields >> skipped >> skipped >> skipped >> mount.of >> mount.at;
    mount.at = unescape(mount.at);
    found.push_back(std::move(mount));
  }
  return found;
}

std::string find_cgroup2_mount(const std::string& root) {
  const auto mounts = mounts_of_type(root, "cgroup2");
  const auto whole = std::ranges::find(mounts, "/", &Mount::of);
  if (whole != mounts.end()) return whole->at;
  return mounts.empty() ? "" : mounts.front().at;
}

}  // namespace orb8
