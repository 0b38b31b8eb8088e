// What each request proves who it is with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

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
  // `limits` are an exec plugin's; for so long after it failed it is not run again.
  Authenticator(Access access, CommandLimits limits,
                std::chrono::milliseconds failure_kept = std::chrono::seconds(5))
      : access_(std::move(access)), limits_(limits), failure_kept_(failure_kept) {}

  // For a request that is made now. A token's file is read each time, since it is replaced while
  // the agent runs, and requests are few. May run a plugin, and so take seconds.
  Result<Credential> credential();

  // The server did not take it: a plugin's is not used again.
  void refused() { exec_.reset(); }

 private:
  Result<std::string> token();
  Result<Credential> from(const ExecPlugin& plugin);
  Result<ExecCredential> run(const ExecPlugin& plugin);

  using Clock = std::chrono::steady_clock;

  Access access_;
  CommandLimits limits_;
  std::chrono::milliseconds failure_kept_;
  std::string last_token_;  // of the file
  std::optional<ExecCredential> exec_;
  std::optional<Error> exec_error_;  // of the last run
  Clock::time_point exec_failed_;    // when that ended
};

}  // namespace orb8::k8s
