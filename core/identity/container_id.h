// The container that a cgroup belongs to, read out of the cgroup's path.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orb8 {

enum class ContainerRuntime : std::uint8_t { kUnknown, kDocker, kContainerd, kCrio, kPodman };

std::string_view to_string(ContainerRuntime runtime);  // "unknown", "docker", "containerd", ...

struct ContainerRef {
  std::string id;  // 64 hex digits
  ContainerRuntime runtime = ContainerRuntime::kUnknown;
  // UID of the nearest pod around it, as the Kubernetes API writes it; empty outside of pods.
  std::string pod_uid;

  bool operator==(const ContainerRef&) const = default;
};

// The innermost container around `cgroup_path`, which is below the cgroup mount. A cgroup that a
// container made for itself (init.scope, its own systemd's slices) belongs to it.
std::optional<ContainerRef> container_of(std::string_view cgroup_path);

// UID of the nearest pod around `cgroup_path`, also where no container is; empty outside of pods.
std::string pod_uid_of(std::string_view cgroup_path);

// What people see of a container without a name: its first 12 digits.
std::string short_id(std::string_view id);

}  // namespace orb8
