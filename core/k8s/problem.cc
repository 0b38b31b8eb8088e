// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/problem.h"

#include "core/k8s/resource.h"

namespace orb8::k8s {

std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 200;
  std::string line;
  for (const char c : text) {
    if (line.size() >= kMost) return line + "...";
    const bool printable = static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
    if (printable) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return line;
}

std::string problem_of(int http_status, std::string_view message, std::string_view verb,
                       Kind kind) {
  const std::string asked = std::string(verb) + " " + std::string(resource_of(kind));
  const auto words = one_line(message);
  const auto quoted = words.empty() ? "" : " (" + words + ")";
  constexpr int kUnauthorized = 401;
  constexpr int kForbidden = 403;
  if (http_status == kForbidden) {
    return "not allowed to " + asked + "; add to the agent's ClusterRole the rule {apiGroups: [\"" +
           std::string(api_group_of(kind)) + "\"], resources: [\"" +
           std::string(resource_of(kind)) + "\"], verbs: [\"list\", \"watch\"]}" + quoted;
  }
  if (http_status == kUnauthorized) {
    return "the API server takes the agent's credentials for invalid or expired; "
           "check its token or client certificate" +
           quoted;
  }
  return "the API server answered " + std::to_string(http_status) + " when asked to " + asked +
         quoted;
}

}  // namespace orb8::k8s
