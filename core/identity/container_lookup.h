// Asks the container runtimes of this machine what a container is called. This may take seconds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/identity/container_id.h"

namespace orb8 {

// Where the runtimes are; in a container, where it has them mounted.
struct RuntimePaths {
  std::string docker_socket = "/var/run/docker.sock";
  // containerd's gRPC is not needed: each running container's spec lies in <namespace>/<id>/.
  std::string containerd_tasks = "/run/containerd/io.containerd.runtime.v2.task";
  // containers/storage, of Podman and CRI-O: specs in <run>/<id>/userdata/, names in <lib>.
  std::string storage_run = "/run/containers/storage/overlay-containers";
  std::string storage_lib = "/var/lib/containers/storage/overlay-containers";
};

struct ContainerLookup {
  RuntimePaths paths;
  std::chrono::milliseconds deadline{2000};
  int cancel_fd = -1;  // once this is readable, a lookup ends early

  // Absent when no runtime knows a name for it. An error when one should and could not be asked.
  Result<std::optional<std::string>> name_of(const ContainerRef& container) const;

 private:
  using Answer = Result<std::optional<std::string>>;
  Answer ask_docker(const std::string& id) const;
  Answer read_containerd(const std::string& id) const;
  Answer read_storage(const std::string& id) const;
};

}  // namespace orb8
