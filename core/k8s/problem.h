// What a refused request means, and what to do about it, in one line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/k8s/sink.h"

namespace orb8::k8s {

// `verb`: "list" or "watch"; `message`: the server's own words, of any length and shape.
std::string problem_of(int http_status, std::string_view message, std::string_view verb, Kind kind);

// At most 200 printable characters in one line.
std::string one_line(std::string_view text);

}  // namespace orb8::k8s
