// Credentials from an exec plugin, as client.authentication.k8s.io says (v1beta1, v1).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/k8s/access.h"
#include "core/k8s/run_command.h"

namespace orb8::k8s {

struct ExecCredential {
  std::string token;
  std::string cert;  // PEM
  std::string key;
  std::optional<std::int64_t> expires_ns;  // Unix epoch; absent: when it is refused
};

Result<ExecCredential> parse_exec_credential(std::string& json);

// Runs a plugin, for access to this cluster.
Result<ExecCredential> run_exec_plugin(const ExecPlugin& plugin, const Access& access,
                                       const CommandLimits& limits);

}  // namespace orb8::k8s
