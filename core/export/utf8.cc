// SPDX-License-Identifier: Apache-2.0
#include "core/export/utf8.h"

#include <algorithm>
#include <cstdint>

namespace orb8 {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool continues(char byte) {
  return (static_cast<std::uint8_t>(byte) & 0xC0U) == 0x80U;
}

// How long a sequence is that begins with this byte; 0: none does. C0, C1 and F5 to FF occur in no
// sequence.
std::size_t length_by_lead(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// Whether the second byte may follow the first: no overlong forms, no surrogates, nothing above
// U+10FFFF.
bool second_fits(std::uint8_t lead, std::uint8_t second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

// The length of the valid sequence that a text, which is not empty, begins with; 0: none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const auto length = length_by_lead(lead);
  if (length == 0 || length > text.size()) return 0;
  if (!std::ranges::all_of(text.substr(1, length - 1), continues)) return 0;
  if (length > 1 && !second_fits(lead, static_cast<std::uint8_t>(text[1]))) return 0;
  return length;
}

bool is_control(char byte) {
  return static_cast<std::uint8_t>(byte) < 0x20 || byte == 0x7F;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence_length(text);
    out += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string quotable(std::string_view text, std::size_t most) {
  std::string out = valid_utf8(text.substr(0, most));
  std::ranges::replace_if(out, is_control, '?');
  if (text.size() > most) out += "...";
  return out;
}

}  // namespace orb8
