// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/preflight.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>

#include "core/base/mounts.h"
#include "core/kernel/kernel_release.h"

namespace orb8 {
namespace {

constexpr KernelVersion kNeeded = {5, 8};
constexpr KernelVersion kNoMemlock = {5, 11};  // BPF memory is charged to the cgroup from there on

// <linux/capability.h> has these since Linux 5.8.
constexpr unsigned kCapPerfmon = 38;
constexpr unsigned kCapBpf = 39;

PreflightCheck check_kernel(const std::string& release) {
  PreflightCheck check{.name = "kernel", .detail = release + " (5.8 or later is needed)"};
  if (parse_release(release) < kNeeded) {
    check.outcome = CheckOutcome::kFailed;
    check.remedy = "run on Linux 5.8 or later";
  }
  return check;
}

PreflightCheck check_btf(const std::string& root) {
  PreflightCheck check{.name = "BTF", .detail = std::string(kKernelBtf)};
  if (can_read_kernel_btf(root)) return check;
  check.outcome = CheckOutcome::kWarning;
  check.detail += " cannot be read: flows of sockets are not seen";
  check.remedy =
      "run a kernel built with CONFIG_DEBUG_INFO_BTF=y; in a container, mount the host's /sys";
  return check;
}

// Who this process is, as far as loading BPF programs goes.
struct Rights {
  unsigned uid = 0;  // the effective one
  std::uint64_t capabilities = 0;
  bool whole_machine = true;  // false: root of a user namespace, whose capabilities end there

  bool has(unsigned capability) const { return (capabilities >> capability & 1U) != 0; }
};

std::optional<Rights> read_rights(const std::string& root) {
  Rights rights;
  bool found = false;
  std::ifstream status(root + "/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    unsigned real = 0;
    unsigned long long bits = 0;
    (void)std::sscanf(line.c_str(), "Uid: %u %u", &real, &rights.uid);
    if (std::sscanf(line.c_str(), "CapEff: %llx", &bits) == 1) {
      rights.capabilities = bits;
      found = true;
    }
  }
  // "0 0 4294967295" in the first user namespace (user_namespaces(7)).
  std::ifstream map(root + "/proc/self/uid_map");
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  if (map >> inside >> outside >> count) rights.whole_machine = outside == 0 && count == UINT32_MAX;
  return found ? std::optional(rights) : std::nullopt;
}

std::string missing_capabilities(const Rights& rights) {
  const bool admin = rights.has(CAP_SYS_ADMIN);
  std::string missing;
  const auto need = [&](bool there, const char* name) {
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
  };
  need(rights.has(kCapBpf) || admin, "CAP_BPF (or CAP_SYS_ADMIN)");
  need(rights.has(CAP_NET_ADMIN), "CAP_NET_ADMIN");
  need(rights.has(kCapPerfmon) || admin, "CAP_PERFMON (or CAP_SYS_ADMIN)");
  return missing;
}

PreflightCheck check_capabilities(const std::string& root) {
  PreflightCheck check{.name = "capabilities", .detail = "all that is needed"};
  const auto rights = read_rights(root);
  if (!rights) {
    check.outcome = CheckOutcome::kWarning;
    check.detail = "/proc/self/status cannot be read";
    check.remedy = "mount /proc";
    return check;
  }
  if (!rights->whole_machine) {
    check.outcome = CheckOutcome::kFailed;
    check.detail = "they end at this user namespace, and BPF needs the machine's";
    check.remedy = "run outside of it, as root (sudo); in a rootless container there is no way";
    return check;
  }
  const auto missing = missing_capabilities(*rights);
  if (missing.empty()) return check;
  check.outcome = CheckOutcome::kFailed;
  if (rights->uid == 0) {
    check.detail = "missing " + missing;
    check.remedy = "add them to the container's securityContext.capabilities, or run it privileged";
  } else {
    check.detail = "not root (user " + std::to_string(rights->uid) + "), and missing " + missing;
    check.remedy = "run with sudo, or setcap cap_bpf,cap_net_admin,cap_perfmon+ep on the program";
  }
  return check;
}

PreflightCheck check_memlock(const std::string& release, const PreflightOptions& options) {
  PreflightCheck check{.name = "memlock", .detail = "no limit for BPF since Linux 5.11"};
  if (parse_release(release) >= kNoMemlock) return check;
  const auto bytes = options.raise_memlock();
  if (bytes == UINT64_MAX) {
    check.detail = "unlimited";
    return check;
  }
  // With less not even the default maps can be made.
  constexpr std::uint64_t kLeast = 64U << 20U;
  check.outcome = bytes < kLeast ? CheckOutcome::kFailed : CheckOutcome::kWarning;
  check.detail = std::to_string(bytes / 1024) + " KiB, and it cannot be raised";
  check.remedy =
      "add CAP_SYS_RESOURCE, run ulimit -l unlimited as root, or set "
      "LimitMEMLOCK=infinity in the systemd unit";
  return check;
}

PreflightCheck check_cgroup2(const std::string& root) {
  PreflightCheck check{.name = "cgroup v2"};
  const auto mount = find_cgroup2_mount(root);
  if (!mount.empty()) {
    check.detail = "mounted at " + mount;
    return check;
  }
  check.outcome = CheckOutcome::kWarning;
  check.detail = "not mounted: flows are not told apart by container";
  check.remedy = "mount -t cgroup2 none /sys/fs/cgroup/unified";
  return check;
}

// The mount table says so to everyone; the folders themselves are shut for all but root. debugfs
// mounts its own the first time that somebody looks into it.
PreflightCheck check_tracefs(const std::string& root) {
  PreflightCheck check{.name = "tracefs"};
  const auto mounts = mounts_of_type(root, "tracefs");
  const std::string in_debugfs = "/sys/kernel/debug/tracing";
  if (!mounts.empty()) {
    check.detail = "mounted at " + mounts.front().at;
  } else if (::access((root + in_debugfs + "/events").c_str(), F_OK) == 0) {
    check.detail = "mounted at " + in_debugfs;
  } else {
    check.outcome = CheckOutcome::kWarning;
    check.detail = "not mounted: network flows do not need it";
    check.remedy = "mount -t tracefs tracefs /sys/kernel/tracing";
  }
  return check;
}

}  // namespace

std::uint64_t raise_memlock_bytes() {
  const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) return UINT64_MAX;
  rlimit now = {};
  if (::getrlimit(RLIMIT_MEMLOCK, &now) != 0) return 0;
  const rlimit most = {now.rlim_max, now.rlim_max};  // up to there nobody has to be asked
  if (::setrlimit(RLIMIT_MEMLOCK, &most) == 0) now.rlim_cur = now.rlim_max;
  return now.rlim_cur == RLIM_INFINITY ? UINT64_MAX : now.rlim_cur;
}

bool can_read_kernel_btf(const std::string& root) {
  return ::access((root + std::string(kKernelBtf)).c_str(), R_OK) == 0;
}

std::vector<PreflightCheck> run_preflight(const PreflightOptions& options) {
  const auto release = options.kernel_release.empty() ? running_release() : options.kernel_release;
  return {check_kernel(release),
          check_btf(options.root),
          check_capabilities(options.root),
          check_memlock(release, options),
          check_cgroup2(options.root),
          check_tracefs(options.root)};
}

std::string to_line(const PreflightCheck& check) {
  return check.name + ": " + check.detail + (check.remedy.empty() ? "" : "; " + check.remedy);
}

bool passed(const std::vector<PreflightCheck>& checks) {
  for (const auto& check : checks) {
    if (check.outcome == CheckOutcome::kFailed) return false;
  }
  return true;
}

std::string failure_text(const std::vector<PreflightCheck>& checks) {
  std::string text;
  for (const auto& check : checks) {
    if (check.outcome != CheckOutcome::kFailed) continue;
    text += (text.empty() ? "" : "; ") + check.name + ": " + check.detail + ": " + check.remedy;
  }
  return text;
}

}  // namespace orb8
