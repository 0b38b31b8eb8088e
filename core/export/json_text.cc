// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_text.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "core/export/utf8.h"

namespace orb8 {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kRfc3339Length = std::string_view("2024-02-29T23:59:59.000000001Z").size();

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

// Whether eight bytes are plain, all of them. A byte that is not has its high bit set in one of the
// terms, each of which carries into its neighbour only where it has found one itself.
bool are_plain(std::uint64_t eight) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  const auto control = eight - kEach * 0x20;
  const auto quote = (eight ^ (kEach * '"')) - kEach;
  const auto backslash = (eight ^ (kEach * '\\')) - kEach;
  const auto del = eight + kEach;
  return ((eight | control | quote | backslash | del) & (kEach * 0x80)) == 0;
}

// Of the text's beginning.
std::size_t plain_length(std::string_view text) {
  std::size_t plain = 0;
  for (std::uint64_t eight = 0; plain + sizeof(eight) <= text.size(); plain += sizeof(eight)) {
    std::memcpy(&eight, text.data() + plain, sizeof(eight));
    if (!are_plain(eight)) break;
  }
  while (plain < text.size() && is_plain(text[plain])) ++plain;
  return plain;
}

void append_unit(std::uint32_t unit, std::string& out) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4)
    out += kHex[unit >> static_cast<unsigned>(shift) & 15U];
}

// UTF-16, as JSON escapes it.
void append_code_point(std::uint32_t point, std::string& out) {
  constexpr std::uint32_t kBeyond = 0x10000;
  if (point < kBeyond) return append_unit(point, out);
  append_unit(0xD800U + ((point - kBeyond) >> 10U), out);
  append_unit(0xDC00U + ((point - kBeyond) & 0x3FFU), out);
}

// Of valid UTF-8.
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    point = point << 6U | (static_cast<std::uint8_t>(text[i]) & 0x3FU);
  }
  text.remove_prefix(length);
  return point;
}

void append_escaped(std::string_view text, std::string& out) {
  const auto valid = valid_utf8(text);
  std::string_view rest = valid;
  while (!rest.empty()) {
    const char c = rest.front();
    if (is_plain(c)) {
      out += c;
      rest.remove_prefix(1);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      rest.remove_prefix(1);
    } else if (c == '\n') {
      out += "\\n";
      rest.remove_prefix(1);
    } else if (c == '\t') {
      out += "\\t";
      rest.remove_prefix(1);
    } else {
      append_code_point(take_code_point(rest), out);
    }
  }
}

// Puts digits there, with zeros in front; where they end.
template <std::size_t kDigits>
char* put_digits(std::uint64_t number, char* at) {
  for (std::size_t i = kDigits; i > 0; --i, number /= 10) {
    at[i - 1] = static_cast<char>('0' + number % 10);
  }
  return at + kDigits;
}

}  // namespace

void append_quoted(std::string_view text, std::string& out) {
  append_member({}, text, out);
}

void append_member(std::string_view key, std::string_view text, std::string& out) {
  const auto plain = plain_length(text);
  const auto begin = out.size() + key.size();
  const auto size = begin + plain + 2;
  // Most texts are plain: they go in at once, with their marks. What libstdc++ 12 hands over as the
  // size may be the capacity.
  out.resize_and_overwrite(size, [&](char* all, std::size_t /*or more*/) {
    key.copy(all + begin - key.size(), key.size());
    all[begin] = '"';
    text.copy(all + begin + 1, plain);
    all[size - 1] = '"';
    return size;
  });
  if (plain == text.size()) return;
  out.pop_back();
  append_escaped(text.substr(plain), out);
  out += '"';
}

void append_rfc3339(std::int64_t unix_ns, std::string& out) {
  const std::chrono::sys_time<std::chrono::nanoseconds> time{std::chrono::nanoseconds(unix_ns)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, kRfc3339Length> text;
  auto* at = put_digits<4>(static_cast<std::uint64_t>(static_cast<int>(date.year())), text.data());
  *at++ = '-';
  at = put_digits<2>(static_cast<unsigned>(date.month()), at);
  *at++ = '-';
  at = put_digits<2>(static_cast<unsigned>(date.day()), at);
  *at++ = 'T';
  at = put_digits<2>(static_cast<std::uint64_t>(clock.hours().count()), at);
  *at++ = ':';
  at = put_digits<2>(static_cast<std::uint64_t>(clock.minutes().count()), at);
  *at++ = ':';
  at = put_digits<2>(static_cast<std::uint64_t>(clock.seconds().count()), at);
  *at++ = '.';
  at = put_digits<9>(static_cast<std::uint64_t>(clock.subseconds().count()), at);
  *at = 'Z';
  out.append(text.data(), text.size());
}

}  // namespace orb8
