// A cgroup, as a container has one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "core/base/mounts.h"
#include "core/base/unique_fd.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {

// A cgroup of the test's own, as a container has one.
class Cgroup {
 public:
  explicit Cgroup(const std::string& name)
      : path_(find_cgroup2_mount("") + "/" + name + "-" + std::to_string(::getpid())) {
    must(::mkdir(path_.c_str(), 0755), "make a cgroup");
  }
  // Below another one, which outlives it.
  Cgroup(const Cgroup& parent, const std::string& name) : path_(parent.path_ + "/" + name) {
    must(::mkdir(path_.c_str(), 0755), "make a cgroup");
  }
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup() { ::rmdir(path_.c_str()); }

  std::uint64_t id() const {
    struct stat about = {};
    must(::stat(path_.c_str(), &about), "stat a cgroup");
    return about.st_ino;
  }
  void enter() const {
    const UniqueFd procs(must(::open((path_ + "/cgroup.procs").c_str(), O_WRONLY), "open"));
    must(::write(procs.get(), "0", 1), "enter a cgroup");
  }

 private:
  std::string path_;
};

}  // namespace orb8::netns
