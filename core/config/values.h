// Text to values, strictly: the whole text, or nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace orb8 {

// A decimal number without sign, blanks or anything behind it.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// The same with an optional binary unit: "65536", "64K", "1M", "1MiB".
std::optional<std::uint64_t> parse_size(std::string_view text);

// An IP address, IPv6 with or without brackets, or a host name; given back without brackets.
std::optional<std::string> parse_host(std::string_view text);

// What is printable on one line without blanks: letters, digits, '.', '-' and '_', at most 253
// characters (a DNS name's length, which bounds a Kubernetes node's name).
bool is_node_name(std::string_view text);

// An interface's name as the kernel has them (15 characters without blanks, '/' and ':'), or a glob
// of at most 64. A comma separates names, so it can be in none.
bool is_interface_glob(std::string_view text);

// Printable ASCII that begins with '/', is no folder and fits into PATH_MAX.
bool is_absolute_path(std::string_view text);

// "http://HOST[:PORT][/PATH]" or https, without a user, a query or a fragment.
bool is_http_url(std::string_view text);

// "NAME=VALUE": a header's name (RFC 9110, 5.1) in any case, and a value of printable ASCII that
// has no comma, which separates headers.
bool is_header(std::string_view text);

// "NAME=VALUE" of OTEL_RESOURCE_ATTRIBUTES: printable ASCII, the value percent-decoded, both
// without the blanks around them. The value may be empty.
std::optional<std::pair<std::string, std::string>> parse_attribute(std::string_view text);

// A user's text inside a message of one line: what is not printable ASCII as \xNN, the rest of a
// long one as "...".
std::string one_line(std::string_view text);

}  // namespace orb8
