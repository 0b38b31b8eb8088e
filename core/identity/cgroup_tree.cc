// SPDX-License-Identifier: Apache-2.0
#include "core/identity/cgroup_tree.h"

#include <dirent.h>
#include <spdlog/spdlog.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/mounts.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kWatched = IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

std::string child_of(const std::string& path, std::string_view name) {
  return path + (path == "/" ? "" : "/") + std::string(name);
}

}  // namespace

class CgroupTree::Impl {
 public:
  Impl(CgroupTreeOptions options, dev_t device, CgroupHandles handles)
      : options_(std::move(options)),
        device_(device),
        handles_(std::move(handles)),
        notices_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
        notices_errno_(errno),
        index_(options_.max_entries, options_.grace_ns,
               [this](const CgroupIndex::Cgroup& cgroup) { dropped(cgroup); }) {}

  std::optional<std::string> path_of(std::uint64_t id, std::int64_t now_ns) {
    if (id == 0) return std::nullopt;
    index_.expire(now_ns);
    if (const auto* cgroup = index_.use(id)) return cgroup->path;
    if (options_.ask_by_handle) {
      if (const auto path = handles_.path_of(id)) {
        walk(*path, id, now_ns);
        return path;
      }
      if (handles_.works()) return std::nullopt;
    }
    take_notices(now_ns);
    if (index_.find(id) == nullptr) scan_if_due(id, now_ns);
    const auto* cgroup = index_.use(id);
    return cgroup != nullptr ? std::optional(cgroup->path) : std::nullopt;
  }

  void handle_ready(std::int64_t now_ns) {
    take_notices(now_ns);
    scan_if_due(0, now_ns);
    index_.expire(now_ns);
  }

  // Meets every cgroup there is, and finds out who is gone without a notice.
  void scan(std::uint64_t wanted, std::int64_t now_ns) {
    next_scan_ns_ = now_ns + options_.scan_interval_ns;
    ++scan_;
    unwatched_ = false;
    full_ = false;
    if (!walk("/", wanted, now_ns)) return;  // who was not met may be there all the same
    for (const auto id : index_.missed_by(scan_)) forget(*index_.find(id), now_ns);
  }

  Component component() const {
    Component component{.name = "cgroups", .healthy = !unwatched_ && !full_, .reason = {}};
    if (full_) {
      component.reason = "there are more than " + std::to_string(options_.max_entries) +
                         " cgroups, some containers may stay unknown";
    } else if (unwatched_) {
      component.reason =
          "not all cgroups can be watched, short-lived containers may stay unknown: raise "
          "fs.inotify.max_user_watches and max_user_instances";
    }
    return component;
  }

  int fd() const { return notices_.get(); }
  std::size_t size() const { return index_.size(); }

 private:
  // Takes in the cgroup at `top` and those below it. `wanted` gets in even where that puts another
  // one out. False when a directory could not be read although it is there.
  bool walk(const std::string& top, std::uint64_t wanted, std::int64_t now_ns) {
    bool complete = true;
    std::vector<std::string> ahead = {top};
    while (!ahead.empty()) {
      const auto path = std::move(ahead.back());
      ahead.pop_back();
      const Dir dir(::opendir((options_.mount + path).c_str()));
      if (!dir) {
        complete = complete && (errno == ENOENT || errno == ENODEV);
        continue;
      }
      // The watch comes before the children are read: what is made in between is seen twice, not
      // never.
      if (!take_in(path, ::dirfd(dir.get()), wanted, now_ns)) continue;
      while (const auto* entry = ::readdir(dir.get())) {
        const std::string_view name = entry->d_name;
        if (entry->d_type == DT_DIR && name != "." && name != "..") {
          ahead.push_back(child_of(path, name));
        }
      }
    }
    return complete;
  }

  // False when there is no cgroup behind `dir`, but something mounted on top of one.
  bool take_in(const std::string& path, int dir, std::uint64_t wanted, std::int64_t now_ns) {
    struct stat directory = {};
    if (::fstat(dir, &directory) != 0 || directory.st_dev != device_) return false;
    auto* cgroup = index_.find(directory.st_ino);
    const bool is_new = cgroup == nullptr || cgroup->gone || cgroup->path != path;
    if (is_new) {
      if (!index_.has_room()) {
        note(full_, "the limit of " + std::to_string(options_.max_entries) + " cgroups is reached");
        if (directory.st_ino != wanted) return true;
      }
      cgroup = &index_.add(directory.st_ino, path, now_ns);
    }
    cgroup->scan = scan_;
    if (cgroup->watch < 0) watch(*cgroup, dir);
    if (is_new && options_.appeared) options_.appeared(cgroup->id, cgroup->path);
    return true;
  }

  // Through the open descriptor: the name may lead to another directory by now.
  void watch(CgroupIndex::Cgroup& cgroup, int dir) {
    if (unwatched_) return;  // until the next scan
    const auto link = "/proc/self/fd/" + std::to_string(dir);
    cgroup.watch = ::inotify_add_watch(notices_.get(), link.c_str(), kWatched);
    if (cgroup.watch >= 0) {
      watched_[cgroup.watch] = cgroup.id;
    } else {
      const int err = notices_ ? errno : notices_errno_;
      note(unwatched_, sys_error(err, "watch " + cgroup.path + " and other cgroups").error().what);
    }
  }

  // The log has it once; later scans come to the same end.
  void note(bool& flag, const std::string& what) {
    if (!std::exchange(flag, true) && !std::exchange(logged_, true)) {
      spdlog::warn("{}; scanning them every {} s", what, options_.scan_interval_ns / 1'000'000'000);
    }
  }

  void scan_if_due(std::uint64_t wanted, std::int64_t now_ns) {
    if ((unwatched_ || full_) && now_ns >= next_scan_ns_) scan(wanted, now_ns);
  }

  void take_notices(std::int64_t now_ns) {
    alignas(inotify_event) std::array<char, 16384> buffer;
    bool lost = false;
    while (notices_) {
      const auto length = ::read(notices_.get(), buffer.data(), buffer.size());
      if (length <= 0) break;
      for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
        inotify_event event;
        std::memcpy(&event, &buffer[at], sizeof event);
        const char* const name = event.len > 0 ? &buffer[at + sizeof event] : "";
        // The kernel has no way to rename a cgroup v2; should it learn one, names below change too.
        lost = lost || (event.mask & (IN_Q_OVERFLOW | IN_MOVE)) != 0;
        take_notice(event, name, now_ns);
        at += sizeof event + event.len;
      }
    }
    if (lost) scan(0, now_ns);
  }

  void take_notice(const inotify_event& event, const char* name, std::int64_t now_ns) {
    const auto found = watched_.find(event.wd);
    if (found == watched_.end()) return;
    auto* const parent = index_.find(found->second);
    if ((event.mask & IN_IGNORED) != 0) {
      if (parent != nullptr && parent->watch == event.wd) parent->watch = -1;
      watched_.erase(found);
      return;
    }
    if (parent == nullptr || (event.mask & IN_ISDIR) == 0) return;
    const auto path = child_of(parent->path, name);
    if ((event.mask & IN_CREATE) != 0) {
      walk(path, 0, now_ns);
    } else if ((event.mask & IN_DELETE) != 0) {
      // By now another one may have that name, and be known already.
      auto* const cgroup = index_.live_at(path);
      struct stat there = {};
      const bool is_there = ::stat((options_.mount + path).c_str(), &there) == 0;
      if (cgroup != nullptr && !(is_there && there.st_ino == cgroup->id)) forget(*cgroup, now_ns);
    }
  }

  void forget(CgroupIndex::Cgroup& cgroup, std::int64_t now_ns) {
    unwatch(cgroup);
    cgroup.watch = -1;
    index_.mark_gone(cgroup, now_ns);
  }

  // A watch holds on to the removed directory's inode: kernfs does not tell inotify of the end.
  void unwatch(const CgroupIndex::Cgroup& cgroup) {
    if (cgroup.watch < 0) return;
    watched_.erase(cgroup.watch);
    ::inotify_rm_watch(notices_.get(), cgroup.watch);
  }

  void dropped(const CgroupIndex::Cgroup& cgroup) {
    unwatch(cgroup);
    if (options_.dropped) options_.dropped(cgroup.id, cgroup.path);
  }

  CgroupTreeOptions options_;
  dev_t device_;
  CgroupHandles handles_;
  UniqueFd notices_;
  int notices_errno_;                               // why there are none
  std::unordered_map<int, std::uint64_t> watched_;  // watch descriptor to cgroup
  CgroupIndex index_;
  std::uint64_t scan_ = 0;
  std::int64_t next_scan_ns_ = 0;
  bool unwatched_ = false;  // there are cgroups without a watch
  bool full_ = false;       // there are cgroups that are not in the index
  bool logged_ = false;
};

Result<CgroupTree> CgroupTree::open(CgroupTreeOptions options, std::int64_t now_ns) {
  if (options.mount.empty()) options.mount = find_cgroup2_mount("");
  if (options.mount.empty()) return fail(Errc::kNotFound, "cgroup v2 is not mounted");
  struct stat root = {};
  if (::stat(options.mount.c_str(), &root) != 0) return sys_error(errno, "stat " + options.mount);
  auto handles = CgroupHandles::open(options.mount);
  if (!handles) return std::unexpected(handles.error());
  auto impl = std::make_unique<Impl>(std::move(options), root.st_dev, std::move(*handles));
  impl->scan(0, now_ns);
  return CgroupTree(std::move(impl));
}

std::optional<std::string> CgroupTree::path_of(std::uint64_t id, std::int64_t now_ns) {
  return impl_->path_of(id, now_ns);
}
int CgroupTree::fd() const {
  return impl_->fd();
}
void CgroupTree::handle_ready(std::int64_t now_ns) {
  impl_->handle_ready(now_ns);
}
Component CgroupTree::component() const {
  return impl_->component();
}
std::size_t CgroupTree::size() const noexcept {
  return impl_->size();
}

CgroupTree::CgroupTree(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CgroupTree::CgroupTree(CgroupTree&&) noexcept = default;
CgroupTree& CgroupTree::operator=(CgroupTree&&) noexcept = default;
CgroupTree::~CgroupTree() = default;

}  // namespace orb8
