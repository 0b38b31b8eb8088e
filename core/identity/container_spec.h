// Names of containers in what runtimes leave behind and answer: JSON in, a name out. Text that is
// not JSON, or not of the expected shape, has no name in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orb8 {

// An OCI runtime spec, by its annotations. A container of a Kubernetes pod is called
// "<namespace>/<pod>/<container>", since its own name is in every pod of the same kind; the pod's
// sandbox "<namespace>/<pod>".
std::optional<std::string> name_in_spec(std::string_view json);

// Docker's answer to GET /containers/<id>/json.
std::optional<std::string> name_in_docker_reply(std::string_view json);

// containers/storage's list of all containers of Podman and CRI-O.
std::optional<std::string> name_in_storage_list(std::string_view json, std::string_view id);

}  // namespace orb8
