// SPDX-License-Identifier: Apache-2.0
#include "core/config/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace orb8 {
namespace {

// The locale's opinion is not asked.
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_graphic(char c) {
  return c > ' ' && c <= '~';
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> bytes = {};
  return ::inet_pton(family, text.c_str(), bytes.data()) == 1;
}

// RFC 1123, 2.1: the last label is not a number, which tells a name from a mistyped address.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const auto label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; })) {
      return false;
    }
    if (label.size() == text.size()) return !std::ranges::all_of(label, is_digit);
    text.remove_prefix(label.size() + 1);
  }
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Each "%41" as the byte it stands for; a plus sign is one.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (!is_graphic(text.front()) && text.front() != ' ') return std::nullopt;
    if (text.front() != '%') {
      bytes += text.front();
      text.remove_prefix(1);
      continue;
    }
    unsigned byte = 0;
    const auto digits = text.substr(1, 2);
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    if (digits.size() != 2 || std::from_chars(begin, end, byte, 16).ptr != end) return std::nullopt;
    bytes += static_cast<char>(byte);
    text.remove_prefix(3);
  }
  return bytes;
}

}  // namespace

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 6> kUnits = {
      {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"K", 10}, {"M", 20}, {"G", 30}}};
  unsigned shift = 0;
  for (const auto& [unit, bits] : kUnits) {
    if (!text.ends_with(unit)) continue;
    text.remove_suffix(unit.size());
    shift = bits;
    break;
  }
  const auto number = parse_unsigned(text);
  if (!number || *number > (UINT64_MAX >> shift)) return std::nullopt;
  return *number << shift;
}

std::optional<std::string> parse_host(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton() stops there
  if (text.starts_with('[') && text.ends_with(']') && text.size() > 2) {
    std::string inner(text.substr(1, text.size() - 2));
    return is_address(AF_INET6, inner) ? std::optional(std::move(inner)) : std::nullopt;
  }
  std::string host(text);
  if (is_address(AF_INET, host) || is_address(AF_INET6, host) || is_host_name(host)) return host;
  return std::nullopt;
}

bool is_node_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_';
  });
}

bool is_interface_glob(std::string_view text) {
  const bool glob = text.find_first_of("*?[") != std::string_view::npos;
  return !text.empty() && text.size() <= (glob ? 64U : 15U) &&
         std::ranges::all_of(
             text, [](char c) { return is_graphic(c) && c != ',' && c != '/' && c != ':'; });
}

bool is_absolute_path(std::string_view text) {
  constexpr std::size_t kLongest = 4000;  // below PATH_MAX, with room for a suffix
  return text.starts_with('/') && !text.ends_with('/') && text.size() <= kLongest &&
         std::ranges::all_of(text, [](char c) { return is_graphic(c) || c == ' '; });
}

bool is_http_url(std::string_view text) {
  const auto scheme = text.find("://");
  if (text.substr(0, scheme) != "http" && text.substr(0, scheme) != "https") return false;
  if (scheme == std::string_view::npos || text.size() > 2000) return false;
  auto rest = text.substr(scheme + 3);
  if (!std::ranges::all_of(rest, is_graphic) ||
      rest.find_first_of("?#@\"<>\\^`{|}") != std::string_view::npos) {
    return false;
  }
  auto authority = rest.substr(0, rest.find('/'));
  if (const auto port = authority.rfind(':');
      port != std::string_view::npos && authority.find(']', port) == std::string_view::npos) {
    const auto number = parse_unsigned(authority.substr(port + 1));
    if (!number || *number == 0 || *number > 65535) return false;
    authority = authority.substr(0, port);
  }
  // An IPv6 address without brackets would leave no place for a port.
  const auto host = parse_host(authority);
  return host && (host->find(':') == std::string::npos || authority.starts_with('['));
}

bool is_header(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  const auto value = text.substr(equals + 1);
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  return std::ranges::all_of(text.substr(0, equals),
                             [&](char c) { return is_alnum(c) || kTokenMarks.contains(c); }) &&
         !value.empty() && value.front() != ' ' && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return (is_graphic(c) || c == ' ') && c != ','; });
}

std::optional<std::pair<std::string, std::string>> parse_attribute(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto name = without_blanks(text.substr(0, equals));
  const auto value = percent_decoded(without_blanks(text.substr(equals + 1)));
  if (name.empty() || !std::ranges::all_of(name, is_graphic) || !value) return std::nullopt;
  return std::pair(std::string(name), *value);
}

std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 200;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  for (const char c : text.substr(0, kMost)) {
    if (is_graphic(c) || c == ' ') {
      line += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    line += "\\x";
    line += kHex[byte >> 4U];
    line += kHex[byte & 0xfU];
  }
  if (text.size() > kMost) line += "...";
  return line;
}

}  // namespace orb8
