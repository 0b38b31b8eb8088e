// Base64 (RFC 4648), in which kubeconfig files embed certificates.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orb8::k8s {

std::string to_base64(std::string_view bytes);

// White space is passed over. Absent: a character that does not belong there, or a cut end.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace orb8::k8s
