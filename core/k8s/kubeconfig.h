// kubectl's configuration files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/k8s/access.h"

namespace orb8::k8s {

struct KubeconfigFile {
  std::string path;  // paths in it are relative to its folder
  std::string text;
};

// Merged as kubectl does: of entries with the same name, and of current contexts, the first counts.
Result<Access> parse_kubeconfig(std::span<const KubeconfigFile> files);

// Paths with colons between them; those that do not exist are passed over. kNotFound: all of them.
Result<Access> load_kubeconfig(std::string_view paths);

}  // namespace orb8::k8s
