// SPDX-License-Identifier: Apache-2.0
#include "core/identity/cgroup_handle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>

namespace orb8 {
namespace {

constexpr int kKernfsHandle = 0xfe;  // FILEID_KERNFS in <linux/exportfs.h>, which is not exported

// struct file_handle with room for the id behind it.
struct Handle {
  unsigned bytes = sizeof(std::uint64_t);
  int type = kKernfsHandle;
  std::array<unsigned char, sizeof(std::uint64_t)> id = {};
};
static_assert(offsetof(Handle, id) == offsetof(file_handle, f_handle));

std::string path_of_fd(int fd) {
  std::string path(PATH_MAX, '\0');
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  const auto length = ::readlink(link.c_str(), path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

}  // namespace

Result<CgroupHandles> CgroupHandles::open(const std::string& mount) {
  UniqueFd fd(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return sys_error(errno, "open " + mount);
  auto path = path_of_fd(fd.get());
  if (path.empty()) return fail(Errc::kNotFound, "find the path of " + mount + ": no /proc");
  return CgroupHandles(std::move(fd), std::move(path));
}

std::optional<std::string> CgroupHandles::path_of(std::uint64_t id) {
  if (!works_) return std::nullopt;
  Handle handle;
  std::memcpy(handle.id.data(), &id, sizeof id);
  const UniqueFd found(::open_by_handle_at(mount_.get(), reinterpret_cast<file_handle*>(&handle),
                                           O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!found) {
    // Refused, by the kernel or by a container's seccomp filter, or not known to it.
    works_ = errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL;
    return std::nullopt;
  }
  auto path = path_of_fd(found.get());
  // The path of a cgroup outside of the mount, or of one that was just removed ("... (deleted)"),
  // leads elsewhere or nowhere.
  struct stat there = {};
  if (!path.starts_with(mount_path_) || ::stat(path.c_str(), &there) != 0 || there.st_ino != id) {
    return std::nullopt;
  }
  path.erase(0, mount_path_ == "/" ? 0 : mount_path_.size());
  return path.empty() ? "/" : path;
}

}  // namespace orb8
