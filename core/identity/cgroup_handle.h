// Asks the kernel for the path of a cgroup by its id, without looking through the tree.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace orb8 {

// A cgroup's id is its file handle (Linux 5.5 on), which open_by_handle_at(2) opens. That takes
// CAP_DAC_READ_SEARCH in the first user namespace.
class CgroupHandles {
 public:
  static Result<CgroupHandles> open(const std::string& mount);

  // Below the mount, "/" for the mount itself. Absent when there is no such cgroup (any more), or
  // it is outside of the mount, or the kernel does not let us ask: then works() is false.
  std::optional<std::string> path_of(std::uint64_t id);

  // Whether the kernel answers; known from the first question on.
  bool works() const noexcept { return works_; }

 private:
  CgroupHandles(UniqueFd mount, std::string mount_path)
      : mount_(std::move(mount)), mount_path_(std::move(mount_path)) {}

  UniqueFd mount_;
  std::string mount_path_;  // as the kernel writes it
  bool works_ = true;
};

}  // namespace orb8
