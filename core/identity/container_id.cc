// SPDX-License-Identifier: Apache-2.0
#include "core/identity/container_id.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace orb8 {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kShortDigits = 12;

// What runtimes put before the id, with both cgroup drivers. The whole name must match, so that
// "crio-conmon-<id>.scope", the container's monitor outside of it, is not taken for the container.
struct Prefix {
  std::string_view text;
  ContainerRuntime runtime;
};
constexpr auto kPrefixes = std::to_array<Prefix>({
    {"docker", ContainerRuntime::kDocker},
    {"cri-containerd", ContainerRuntime::kContainerd},
    {"nerdctl", ContainerRuntime::kContainerd},
    {"crio", ContainerRuntime::kCrio},
    {"libpod", ContainerRuntime::kPodman},
});

// Folders in which a runtime makes cgroups that are named by nothing but the id.
constexpr auto kFolders = std::to_array<Prefix>({
    {"docker", ContainerRuntime::kDocker},
    {"moby", ContainerRuntime::kDocker},
    {"default", ContainerRuntime::kContainerd},  // containerd's namespaces, of ctr and nerdctl
    {"k8s.io", ContainerRuntime::kContainerd},   // and of its CRI plugin
    {"libpod_parent", ContainerRuntime::kPodman},
});

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && std::ranges::all_of(text, is_hex);
}

// The last name of `path`, which loses it.
std::string_view take_last(std::string_view& path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  return name;
}

std::string_view without_suffix(std::string_view name, std::string_view suffix) {
  if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
  return name;
}

// 8-4-4-4-12 digits with '-', or with '_' as systemd has them, since '-' nests slices there. Static
// pods have a hash of 32 digits instead.
std::string as_pod_uid(std::string_view text) {
  std::string uid(text);
  std::ranges::replace(uid, '_', '-');
  const bool dashed = uid.size() == 36;
  if (!dashed && uid.size() != 32) return {};
  for (std::size_t i = 0; i < uid.size(); ++i) {
    const bool dash = dashed && (i == 8 || i == 13 || i == 18 || i == 23);
    if (dash ? uid[i] != '-' : !is_hex(uid[i])) return {};
  }
  return uid;
}

// The pod that a cgroup called `name` below `parents` is for, if it is one's own.
std::string pod_uid_in(std::string_view name, std::string_view parents) {
  // A containerd whose driver is not the kubelet's: "<the pod's slice>:cri-containerd:<id>".
  name = name.substr(0, name.find(':'));
  if (name.ends_with(".slice")) {
    // "kubepods-burstable-pod<uid>.slice", and "kubelet-kubepods-..." on nodes made by kind.
    name = without_suffix(name, ".slice");
    const auto pod = name.rfind("-pod");
    const auto pods = name.find("kubepods");
    if (pods == std::string_view::npos || pod == std::string_view::npos || pod < pods) return {};
    return as_pod_uid(name.substr(pod + 4));
  }
  if (!name.starts_with("pod") || parents.find("kubepods") == std::string_view::npos) return {};
  return as_pod_uid(name.substr(3));
}

ContainerRuntime runtime_of_prefix(std::string_view text) {
  const auto* const found = std::ranges::find(kPrefixes, text, &Prefix::text);
  return found == kPrefixes.end() ? ContainerRuntime::kUnknown : found->runtime;
}

// Who made a cgroup that is named by nothing but an id, in the folder `parents`.
ContainerRuntime runtime_of_folder(std::string_view parents) {
  const auto folder = take_last(parents);
  const auto* const found = std::ranges::find(kFolders, folder, &Prefix::text);
  if (found != kFolders.end()) return found->runtime;
  // containerd with the cgroupfs driver. Docker does the same below a kubelet, and names are asked
  // of both; CRI-O always has its prefix.
  if (!pod_uid_in(folder, parents).empty()) return ContainerRuntime::kContainerd;
  return ContainerRuntime::kUnknown;
}

// The container whose own cgroup is called `name` below `parents`.
std::optional<ContainerRef> container_in(std::string_view name, std::string_view parents) {
  const auto plain = without_suffix(name, ".scope");
  if (is_id(plain)) {
    return ContainerRef{
        .id = std::string(plain), .runtime = runtime_of_folder(parents), .pod_uid = {}};
  }
  if (plain.size() <= kIdDigits + 1) return std::nullopt;
  const auto id = plain.substr(plain.size() - kIdDigits);
  auto before = plain.substr(0, plain.size() - kIdDigits);
  const char separator = before.back();
  before.remove_suffix(1);
  if (separator == ':') before = before.substr(before.rfind(':') + 1);
  const auto runtime = runtime_of_prefix(before);
  if (!is_id(id) || (separator != '-' && separator != ':') || runtime == ContainerRuntime::kUnknown)
    return std::nullopt;
  return ContainerRef{.id = std::string(id), .runtime = runtime, .pod_uid = {}};
}

}  // namespace

std::string_view to_string(ContainerRuntime runtime) {
  switch (runtime) {
    case ContainerRuntime::kUnknown:
      return "unknown";
    case ContainerRuntime::kDocker:
      return "docker";
    case ContainerRuntime::kContainerd:
      return "containerd";
    case ContainerRuntime::kCrio:
      return "crio";
    case ContainerRuntime::kPodman:
      return "podman";
  }
  return "unknown";
}

std::optional<ContainerRef> container_of(std::string_view cgroup_path) {
  for (auto parents = cgroup_path; !parents.empty();) {
    const auto here = parents;
    const auto name = take_last(parents);
    auto found = container_in(name, parents);
    if (!found) continue;
    found->pod_uid = pod_uid_of(here);
    return found;
  }
  return std::nullopt;
}

std::string pod_uid_of(std::string_view cgroup_path) {
  for (auto parents = cgroup_path; !parents.empty();) {
    const auto name = take_last(parents);
    if (auto uid = pod_uid_in(name, parents); !uid.empty()) return uid;
  }
  return {};
}

std::string short_id(std::string_view id) {
  return std::string(id.substr(0, kShortDigits));
}

}  // namespace orb8
