// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/authenticator.h"

#include <algorithm>
#include <chrono>

#include "core/base/read_file.h"

namespace orb8::k8s {
namespace {

constexpr std::size_t kMaxTokenBytes = 64U << 10U;

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

// A line feed would end the header that the token is sent in.
bool fits_a_header(const std::string& token) {
  return std::ranges::all_of(token, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<std::string> Authenticator::token() {
  if (access_.token_file.empty()) return access_.token;
  auto text = read_file(access_.token_file, kMaxTokenBytes, "read the token " + access_.token_file);
  if (text) last_token_ = trimmed(*text);
  if (!last_token_.empty()) return last_token_;
  if (!access_.token.empty()) return access_.token;
  if (text) return fail(Errc::kUnavailable, "read the token " + access_.token_file + ": empty");
  return text;
}

// All that is watched asks for a credential at the same time, on one thread, and a plugin may fail
// by hanging until its deadline: one run is the answer to all of them.
Result<ExecCredential> Authenticator::run(const ExecPlugin& plugin) {
  if (exec_error_ && Clock::now() - exec_failed_ < failure_kept_) {
    return std::unexpected(*exec_error_);
  }
  auto fresh = run_exec_plugin(plugin, access_, limits_);
  exec_error_.reset();
  if (!fresh) exec_error_ = fresh.error();
  exec_failed_ = Clock::now();
  return fresh;
}

Result<Credential> Authenticator::from(const ExecPlugin& plugin) {
  using std::chrono::system_clock;
  // Somewhat earlier, so that it does not expire on the way.
  constexpr std::chrono::seconds kMargin(10);
  const std::chrono::nanoseconds soon = (system_clock::now() + kMargin).time_since_epoch();
  if (exec_ && exec_->expires_ns && *exec_->expires_ns <= soon.count()) exec_.reset();
  if (!exec_) {
    auto fresh = run(plugin);
    if (!fresh) return std::unexpected(fresh.error());
    exec_ = std::move(*fresh);
  }
  return Credential{.token = exec_->token,
                    .cert = {.file = {}, .text = exec_->cert},
                    .key = {.file = {}, .text = exec_->key}};
}

Result<Credential> Authenticator::credential() {
  Credential credential{.token = {}, .cert = access_.cert, .key = access_.key};
  if (access_.exec) {
    auto made = from(*access_.exec);
    if (!made) return made;
    credential = std::move(*made);
  } else {
    auto text = token();
    if (!text) return std::unexpected(text.error());
    credential.token = std::move(*text);
  }
  if (!fits_a_header(credential.token)) {
    return fail(Errc::kInvalid,
                "use the token of " + access_.origin + ": it has characters that no token has");
  }
  return credential;
}

}  // namespace orb8::k8s
