// The texts that JSON is made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orb8 {

// Appends the text in quotation marks, escaped (RFC 8259, 7), in ASCII: what is beyond as \uXXXX,
// and U+FFFD for each byte that is no UTF-8.
void append_quoted(std::string_view text, std::string& out);
// The same behind a key, which is appended as it is.
void append_member(std::string_view key, std::string_view text, std::string& out);

// Appends nanoseconds since the Unix epoch as RFC 3339 in UTC, with nine digits of a second:
// 2024-02-29T23:59:59.000000001Z. Years before 0 and after 9999 do not occur in 64 bits.
void append_rfc3339(std::int64_t unix_ns, std::string& out);

}  // namespace orb8
