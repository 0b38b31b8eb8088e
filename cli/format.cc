// SPDX-License-Identifier: Apache-2.0
#include "cli/format.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace orb8 {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;
constexpr std::int64_t kUsPerMs = 1000;

constexpr bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// The length of the UTF-8 sequence that `text` begins with, if it is a whole and harmless one.
std::size_t printable_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f ? 1 : 0;
  std::size_t length = 0;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  // U+0080 to U+009F are C1: some terminals take U+009B for the escape sequence "ESC [".
  return lead == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0 ? 0 : length;
}

// The first `count` code points of the text, in bytes.
std::size_t bytes_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
    --count;
  }
  return at;
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr double kStep = 1024;
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / kStep;
  std::size_t unit = 0;
  // 1023.95 would print as 1024.0.
  while (value >= kStep - 0.05 && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string human_count(std::uint64_t count) {
  auto text = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string count_of(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", human_count(count), thing, count == 1 ? "" : "s");
}

std::string human_bit_rate(std::uint64_t bytes, double seconds) {
  constexpr std::array kUnits = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  constexpr double kStep = 1000;
  if (seconds <= 0) return "-";
  double rate = 8 * static_cast<double>(bytes) / seconds;
  std::size_t unit = 0;
  while (rate >= kStep - 0.05 && unit + 1 < kUnits.size()) {
    rate /= kStep;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} {}", rate, kUnits[0])
                   : fmt::format("{:.1f} {}", rate, kUnits.at(unit));
}

std::string human_duration(std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{}s", seconds);
  if (seconds < kHour) return fmt::format("{}m{:02}s", seconds / kMinute, seconds % kMinute);
  if (seconds < kDay) {
    return fmt::format("{}h{:02}m", seconds / kHour, seconds % kHour / kMinute);
  }
  return fmt::format("{}d{:02}h", seconds / kDay, seconds % kDay / kHour);
}

std::string short_duration(std::chrono::milliseconds time) {
  if (time.count() < kMsPerSecond) return fmt::format("{}ms", time.count());
  if (time.count() % kMsPerSecond == 0) return human_duration(time.count() / kMsPerSecond);
  return fmt::format("{}s", static_cast<double>(time.count()) / kMsPerSecond);
}

std::optional<std::chrono::microseconds> parse_fine_duration(std::string_view text) {
  constexpr std::int64_t kSecond = 1'000'000;
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits = {
      {{"us", 1}, {"ms", kUsPerMs}, {"s", kSecond}, {"m", 60 * kSecond}, {"h", 3600 * kSecond}}};
  constexpr std::int64_t kMost = kSecond * 3600 * 24'000;  // a thousand days
  std::int64_t total = 0;
  bool first = true;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || text.front() == '-') return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::int64_t scale = text.empty() && first ? kSecond : 0;
    for (const auto& [unit, us] : kUnits) {
      if (scale != 0 || !text.starts_with(unit)) continue;
      scale = us;
      text.remove_prefix(unit.size());
    }
    if (scale == 0 || number > kMost / scale) return {};
    total += number * scale;
    if (total > kMost) return {};
    first = false;
  }
  if (total == 0) return {};
  return std::chrono::microseconds(total);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto time = parse_fine_duration(text);
  if (!time || time->count() % kUsPerMs != 0) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(*time);
}

std::string human_micros(std::uint64_t micros) {
  constexpr std::array kUnits = {"us", "ms", "s"};
  constexpr double kStep = 1000;
  auto value = static_cast<double>(micros);
  std::size_t unit = 0;
  // 999.95 would print as 1000.0.
  while (value >= kStep - (unit == 0 ? 0 : 0.05) && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  return unit == 0 ? fmt::format("{}us", micros) : fmt::format("{:.1f}{}", value, kUnits.at(unit));
}

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const auto length = printable_length(text);
    if (length == 0) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else {
      safe += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return safe;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) width += is_continuation(c) ? 0 : 1;
  return width;
}

std::string shorten_middle(const std::string& text, std::size_t width) {
  const auto full = display_width(text);
  if (full <= width || width == 0) return text;
  const std::size_t tail = (width - 1) / 2;
  const std::size_t head = width - 1 - tail;
  return text.substr(0, bytes_of(text, head)) + "…" + text.substr(bytes_of(text, full - tail));
}

std::string cut(const std::string& text, std::size_t width) {
  return text.substr(0, bytes_of(text, width));
}

}  // namespace orb8
