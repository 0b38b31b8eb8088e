// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_text.h"

#include <algorithm>
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

// What a vector register holds: SSE2's, NEON's.
using Block = std::uint8_t __attribute__((vector_size(16)));

// Each of these copies some bytes and tells whether they are plain, all of them; of a block the
// bytes that are not.
Block copy_block(const char* from, char* to) {
  Block block = {};
  std::memcpy(&block, from, sizeof(block));
  std::memcpy(to, &block, sizeof(block));
  return Block((block < 0x20) | (block >= 0x7F) | (block == '"') | (block == '\\'));
}

bool copy_eight(const char* from, char* to) {
  std::uint64_t eight = 0;
  std::memcpy(&eight, from, sizeof(eight));
  std::memcpy(to, &eight, sizeof(eight));
  return are_plain(eight);
}

bool copy_four(const char* from, char* to) {
  std::uint32_t four = 0;
  std::memcpy(&four, from, sizeof(four));
  std::memcpy(to, &four, sizeof(four));
  return are_plain(four | std::uint64_t{four} << 32U);
}

// The last part overlaps with the one before: those bytes are copied twice.
bool copy_plain(std::string_view text, char* to) {
  const char* from = text.data();
  const auto size = text.size();
  if (size >= sizeof(Block)) {
    const auto last = size - sizeof(Block);
    auto bad = copy_block(from + last, to + last);
    for (std::size_t at = 0; at < last; at += sizeof(Block)) bad |= copy_block(from + at, to + at);
    std::array<std::uint64_t, 2> halves = {};
    std::memcpy(halves.data(), &bad, sizeof(bad));
    return (halves[0] | halves[1]) == 0;
  }
  if (size >= 8) {
    const bool first = copy_eight(from, to);
    return copy_eight(from + size - 8, to + size - 8) && first;
  }
  if (size >= 4) {
    const bool first = copy_four(from, to);
    return copy_four(from + size - 4, to + size - 4) && first;
  }
  text.copy(to, size);
  return std::ranges::all_of(text, is_plain);
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
  const auto begin = out.size();
  const auto size = begin + key.size() + text.size() + 2;
  // Most texts are plain: they go in at once, with their marks. What libstdc++ 12 hands over as the
  // size may be the capacity.
  bool plain = false;
  out.resize_and_overwrite(size, [&](char* all, std::size_t /*or more*/) {
    char* at = all + begin;
    key.copy(at, key.size());
    at += key.size();
    *at++ = '"';
    plain = copy_plain(text, at);
    all[size - 1] = '"';
    return plain ? size : size - text.size() - 1;
  });
  if (plain) return;
  append_escaped(text, out);
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
