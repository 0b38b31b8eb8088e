// The process behind a socket, as far as this machine alone can tell.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/model/endpoint.h"

namespace orb8 {

// What is not known is empty or 0.
struct Owner {
  std::uint64_t cgroup_id = 0;  // inode number of the cgroup v2 directory
  std::uint32_t pid = 0;
  std::string comm;            // at most 15 bytes, not always UTF-8
  std::string cgroup_path;     // below the cgroup v2 mount, "/" is its root
  std::string container_id;    // 64 hex digits
  std::string container_name;  // absent until the runtime, or the pod, told it
  std::string pod_uid;         // that the cgroup is named after, where Kubernetes is asked about it
  // kPod: the pod that the cgroup is in. kContainer: named by the container, or by the first 12
  // digits of its id. kProcess: by comm.
  EndpointRef endpoint;
};

// Immutable and shared by all sockets of the same process; null means unknown.
using OwnerRef = std::shared_ptr<const Owner>;

}  // namespace orb8
