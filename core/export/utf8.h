// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace orb8 {

// The text with U+FFFD for each byte that is no UTF-8 (RFC 3629). Interface names may be any bytes,
// and one such name in a message's string field makes the whole message unreadable to most clients.
std::string valid_utf8(std::string_view text);

// For a message in one line: valid UTF-8, '?' for control characters, and at most about `most`
// bytes of it, with "..." where there was more.
std::string quotable(std::string_view text, std::size_t most = 100);

}  // namespace orb8
