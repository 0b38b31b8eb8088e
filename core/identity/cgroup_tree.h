// The cgroup v2 hierarchy of this machine: which directory an id is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/identity/cgroup_handle.h"
#include "core/identity/cgroup_index.h"
#include "core/model/status.h"

namespace orb8 {

struct CgroupTreeOptions {
  std::string mount;  // where cgroup v2 is; empty: find it
  // How long a cgroup that was removed keeps its path, for the flows that outlive it.
  std::int64_t grace_ns = 60'000'000'000;
  std::size_t max_entries = 16384;
  // Between two scans of the whole tree where it cannot be watched as a whole.
  std::int64_t scan_interval_ns = 5'000'000'000;
  bool ask_by_handle = true;  // off: as where the kernel does not allow it

  // Called from within open(), path_of() and handle_ready().
  using Notice = std::function<void(std::uint64_t id, const std::string& path)>;
  Notice appeared;  // also for each one found at the start
  Notice dropped;   // forgotten: grace is over, or there was no room
};

// For the use of one thread. Times are of any clock that never goes back.
//
// Each directory is watched (inotify), so that a cgroup is known before its first flow and a
// removed one is noticed. A miss asks the kernel by file handle. Where there are too many
// directories to watch or to keep, the tree is scanned from time to time instead.
class CgroupTree {
 public:
  static Result<CgroupTree> open(CgroupTreeOptions options, std::int64_t now_ns);

  // Below the mount, "/" for the root. Absent when unknown, or gone for longer than the grace.
  std::optional<std::string> path_of(std::uint64_t id, std::int64_t now_ns);

  // Becomes readable when directories came or went; -1 where nothing can be watched.
  int fd() const;

  // Takes in what changed, drops what has been gone for long, and scans if that is due. Call it
  // when fd() is readable, and every few seconds.
  void handle_ready(std::int64_t now_ns);

  Component component() const;
  std::size_t size() const noexcept;

  CgroupTree(CgroupTree&&) noexcept;
  CgroupTree& operator=(CgroupTree&&) noexcept;
  CgroupTree(const CgroupTree&) = delete;
  CgroupTree& operator=(const CgroupTree&) = delete;
  ~CgroupTree();

 private:
  class Impl;
  explicit CgroupTree(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace orb8
