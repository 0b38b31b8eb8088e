// Who is behind an address, a cgroup or a socket.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

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

struct Endpoint {
  EndpointKind kind = EndpointKind::kUnknown;
  std::string name_space;  // Kubernetes namespace; empty outside pods and services
  std::string name;

  bool operator==(const Endpoint&) const = default;
};

// Immutable and shared by every flow of the same owner; null means unknown.
using EndpointRef = std::shared_ptr<const Endpoint>;

}  // namespace orb8
