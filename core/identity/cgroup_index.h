// The paths of cgroups by id: bounded, and with a memory of those that are gone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace orb8 {

class CgroupIndex {
 public:
  using Id = std::uint64_t;  // inode number; the kernel never uses one twice

  struct Cgroup {
    Id id = 0;
    std::string path;
    int watch = -1;     // inotify's, -1 for none
    bool gone = false;  // its directory was removed
    std::int64_t gone_ns = 0;
    std::uint64_t scan = 0;  // number of the last scan that met it
  };
  using Dropped = std::function<void(const Cgroup&)>;

  // `dropped` is told of each cgroup that the index lets go of, for whatever reason.
  CgroupIndex(std::size_t max_entries, std::int64_t grace_ns, Dropped dropped);

  // Null when not there. Valid until the cgroup is dropped.
  Cgroup* find(Id id);
  // The cgroup whose directory is at `path` now.
  Cgroup* live_at(const std::string& path);
  // Like find(), and a sign that the cgroup is worth keeping.
  Cgroup* use(Id id);

  // Whether add() needs to drop nobody who lives.
  bool has_room() const;

  // Remembers a new cgroup. Without room the one that has been gone longest is dropped, then the
  // one that nobody used for longest. Whoever had this path before is gone.
  Cgroup& add(Id id, std::string path, std::int64_t now_ns);

  void mark_gone(Cgroup& cgroup, std::int64_t now_ns);

  // Drops what has been gone for the grace period.
  void expire(std::int64_t now_ns);

  // Those that live and were not met by scan `scan`.
  std::vector<Id> missed_by(std::uint64_t scan) const;

  std::size_t size() const noexcept { return by_id_.size(); }

 private:
  using List = std::list<Cgroup>;
  void drop(List& from, List::iterator which);

  std::size_t max_entries_;
  std::int64_t grace_ns_;
  Dropped dropped_;
  List live_;  // used last in front
  List gone_;  // gone first in front
  std::unordered_map<Id, List::iterator> by_id_;
  std::unordered_map<std::string, Id> by_path_;  // of those that live
};

}  // namespace orb8
