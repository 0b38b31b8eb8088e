// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/preflight.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace orb8 {
namespace {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

constexpr KernelVersion kNeeded = {5, 8};
constexpr KernelVersion kNoMemlock = {5, 11};  // BPF memory is charged to the cgroup from there on

// <linux/capability.h> has these since Linux 5.8.
constexpr unsigned kCapPerfmon = 38;
constexpr unsigned kCapBpf = 39;

KernelVersion parse_release(const std::string& release) {
  KernelVersion version;
  if (std::sscanf(release.c_str(), "%d.%d", &version.major, &version.minor) != 2) return {};
  return version;
}

std::string running_release(const PreflightOptions& options) {
  if (!options.kernel_release.empty()) return options.kernel_release;
  utsname name = {};
  ::uname(&name);
  return name.release;
}

PreflightCheck check_kernel(const std::string& release) {
  PreflightCheck check{.name = "kernel", .detail = release + " (5.8 or later is needed)"};
  if (parse_release(release) < kNeeded) {
    check.outcome = CheckOutcome::kFailed;
    check.remedy = "run on Linux 5.8 or later";
  }
  return check;
}

PreflightCheck check_btf(const std::string& root) {
  const std::string path = "/sys/kernel/btf/vmlinux";
  PreflightCheck check{.name = "BTF", .detail = path};
  if (::access((root + path).c_str(), R_OK) == 0) return check;
  check.outcome = CheckOutcome::kFailed;
  check.detail = path + " cannot be read";
  check.remedy =
      "run a kernel built with CONFIG_DEBUG_INFO_BTF=y; in a container, mount the host's /sys";
  return check;
}

std::optional<std::uint64_t> effective_capabilities(const std::string& root) {
  std::ifstream status(root + "/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    unsigned long long bits = 0;
    if (std::sscanf(line.c_str(), "CapEff: %llx", &bits) == 1) return bits;
  }
  return std::nullopt;
}

PreflightCheck check_capabilities(const std::string& root) {
  PreflightCheck check{.name = "capabilities"};
  const auto bits = effective_capabilities(root);
  if (!bits) {
    check.outcome = CheckOutcome::kWarning;
    check.detail = "/proc/self/status cannot be read";
    check.remedy = "mount /proc";
    return check;
  }
  const auto has = [&](unsigned capability) { return (*bits >> capability & 1U) != 0; };
  const bool admin = has(CAP_SYS_ADMIN);
  std::string missing;
  const auto need = [&](bool there, const char* name) {
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
  };
  need(has(kCapBpf) || admin, "CAP_BPF (or CAP_SYS_ADMIN)");
  need(has(CAP_NET_ADMIN), "CAP_NET_ADMIN");
  need(has(kCapPerfmon) || admin, "CAP_PERFMON (or CAP_SYS_ADMIN)");
  if (missing.empty()) {
    check.detail = "all that is needed";
    return check;
  }
  check.outcome = CheckOutcome::kFailed;
  check.detail = "missing " + missing;
  check.remedy = "run as root (sudo), or add them to the container's securityContext.capabilities";
  return check;
}

PreflightCheck check_memlock(const std::string& release) {
  PreflightCheck check{.name = "memlock", .detail = "not limited since Linux 5.11"};
  if (parse_release(release) >= kNoMemlock) return check;
  const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) {
    check.detail = "raised to unlimited";
    return check;
  }
  rlimit now = {};
  ::getrlimit(RLIMIT_MEMLOCK, &now);
  if (now.rlim_cur == RLIM_INFINITY) {
    check.detail = "unlimited";
    return check;
  }
  check.outcome = CheckOutcome::kWarning;
  check.detail = std::to_string(now.rlim_cur) + " bytes, and it cannot be raised";
  check.remedy = "add CAP_SYS_RESOURCE, or set LimitMEMLOCK=infinity";
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

PreflightCheck check_tracefs(const std::string& root) {
  PreflightCheck check{.name = "tracefs"};
  for (const std::string path : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    if (::access((root + path + "/events").c_str(), F_OK) != 0) continue;
    check.detail = "mounted at " + path;
    return check;
  }
  check.outcome = CheckOutcome::kWarning;
  check.detail = "not mounted: network flows do not need it";
  check.remedy = "mount -t tracefs tracefs /sys/kernel/tracing";
  return check;
}

}  // namespace

std::string find_cgroup2_mount(const std::string& root) {
  std::ifstream mounts(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // "36 35 98:0 / /mount/point options [tags] - type source options" (proc_pid_mountinfo(5))
    const auto dash = line.find(" - ");
    if (dash == std::string::npos || !line.substr(dash + 3).starts_with("cgroup2 ")) continue;
    std::istringstream fields(line);
    std::string skipped;
    std::string point;
    fields >> skipped >> skipped >> skipped >> skipped >> point;
    return point;
  }
  return {};
}

std::vector<PreflightCheck> run_preflight(const PreflightOptions& options) {
  const auto release = running_release(options);
  return {check_kernel(release),  check_btf(options.root),     check_capabilities(options.root),
          check_memlock(release), check_cgroup2(options.root), check_tracefs(options.root)};
}

std::string to_line(const PreflightCheck& check) {
  const char* word = check.outcome == CheckOutcome::kOk        ? "ok    "
                     : check.outcome == CheckOutcome::kWarning ? "warn  "
                                                               : "FAIL  ";
  return word + check.name + ": " + check.detail +
         (check.remedy.empty() ? "" : "; " + check.remedy);
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
