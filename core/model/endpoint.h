// Who is behind an address, a cgroup or a socket.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orb8 {

enum class EndpointKind : std::uint8_t {
  kUnknown,  // nobody could say yet
  kExternal,
  kNode,
  kPod,
  kService,
  kContainer,
  kProcess,
};

std::string_view to_string(EndpointKind kind);  // "unknown", "external", "node", "pod", ...

// What is not known, or not of this kind, is empty.
struct Endpoint {
  EndpointKind kind = EndpointKind::kUnknown;
  std::string name_space;  // Kubernetes namespace; empty outside pods and services
  std::string name;
  std::string uid = {};            // of the Kubernetes object
  std::string workload_kind = {};  // "Deployment", "Job", "PyTorchJob", ...; "Pod": it is its own
  std::string workload = {};
  std::string node = {};  // that it is on
  std::string zone = {};  // of that node
  std::string port = {};  // of a service: what the port that was addressed is called
  std::vector<std::pair<std::string, std::string>> labels =
      {};  // of a pod, sorted; where asked for

  bool operator==(const Endpoint&) const = default;
};

// Immutable and shared by every flow of the same owner; null means unknown.
using EndpointRef = std::shared_ptr<const Endpoint>;

// One of which no more is known than its kind, shared by all of them.
const EndpointRef& external_endpoint();

}  // namespace orb8
