// What each request proves who it is with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/k8s/access.h"
#include "core/k8s/exec_credential.h"

namespace orb8::k8s {

struct Credential {
  std::string token;  // for "Authorization: Bearer"; empty: none
  Pem cert;
  Pem key;
};

class Authenticator {
 public:
  // `limits` are an exec plugin's.
  explicit Authenticator(Access access, CommandLimits limits)
      : access_(std::move(access)), limits_(limits) {}

  // For a request that is made now. A token's file is read each time, since it is replaced while
  // the agent runs, and requests are few. May run a plugin, and so take seconds.
  Result<Credential> credential();

  // The server did not take it: a plugin's is not used again.
  void refused() { exec_.reset(); }

 private:
  Result<std::string> token();
  Result<Credential> from(const ExecPlugin& plugin);

  Access access_;
  CommandLimits limits_;
  std::string last_token_;  // of the file
  std::optional<ExecCredential> exec_;
};

}  // namespace orb8::k8s
