// SPDX-License-Identifier: Apache-2.0
#include "cli/format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <ctime>
#include <utility>

namespace orb8 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

std::string endpoint(const std::string& address, std::uint32_t port) {
  if (port == 0) return address;
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

// IANA's names of types, in ping's and tcpdump's words.
std::string icmp_type_name(std::uint32_t type) {
  constexpr std::array<std::pair<std::uint32_t, const char*>, 8> kNames = {
      {{0, "echo-reply"},
       {3, "unreachable"},
       {4, "source-quench"},
       {5, "redirect"},
       {8, "echo-request"},
       {11, "time-exceeded"},
       {12, "parameter-problem"},
       {13, "timestamp"}}};
  for (const auto& [number, name] : kNames) {
    if (number == type) return name;
  }
  return fmt::format("type {}", type);
}

std::string icmpv6_type_name(std::uint32_t type) {
  constexpr std::array<std::pair<std::uint32_t, const char*>, 12> kNames = {
      {{1, "unreachable"},
       {2, "packet-too-big"},
       {3, "time-exceeded"},
       {4, "parameter-problem"},
       {128, "echo-request"},
       {129, "echo-reply"},
       {133, "router-solicitation"},
       {134, "router-advertisement"},
       {135, "neighbor-solicitation"},
       {136, "neighbor-advertisement"},
       {137, "redirect"},
       {143, "mld-report"}}};
  for (const auto& [number, name] : kNames) {
    if (number == type) return name;
  }
  return fmt::format("type {}", type);
}

template <class Message>
std::string protocol_text(const Message& message) {
  if (!message.has_icmp_type()) return message.protocol();
  const auto name = message.protocol() == "ICMP" ? icmp_type_name(message.icmp_type())
                                                 : icmpv6_type_name(message.icmp_type());
  return message.protocol() + " " + name;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
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

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  constexpr std::int64_t kMost = 1000LL * 24 * 3'600'000;  // a thousand days
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > kMost || text.front() == '-') return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::int64_t scale = text.empty() && total == 0 ? 1000 : 0;
    for (const auto& [unit, ms] : kUnits) {
      if (scale != 0 || !text.starts_with(unit)) continue;
      scale = ms;
      text.remove_prefix(unit.size());
    }
    if (scale == 0 || number > kMost / scale) return {};
    total += number * scale;
  }
  if (total == 0 || total > kMost) return {};
  return std::chrono::milliseconds(total);
}

std::string clock_time(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / kNsPerSecond;
  std::tm local = {};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:%H:%M:%S}.{:03}", local, unix_ns % kNsPerSecond / kNsPerMs);
}

std::string source_of(const v1::NetworkFlow& flow) {
  return endpoint(flow.src_ip(), flow.src_port());
}
std::string source_of(const v1::NetworkEvent& event) {
  return endpoint(event.src_ip(), event.src_port());
}
std::string destination_of(const v1::NetworkFlow& flow) {
  return endpoint(flow.dst_ip(), flow.dst_port());
}
std::string destination_of(const v1::NetworkEvent& event) {
  return endpoint(event.dst_ip(), event.dst_port());
}

std::string protocol_of(const v1::NetworkFlow& flow) {
  return protocol_text(flow);
}
std::string protocol_of(const v1::NetworkEvent& event) {
  return protocol_text(event);
}

std::string tcp_flag_letters(std::uint32_t flags) {
  // tcpdump(1): S (SYN), F (FIN), P (PUSH), R (RST), U (URG), W (CWR), E (ECE), '.' (ACK)
  constexpr std::array<std::pair<std::uint32_t, char>, 8> kLetters = {{{0x02, 'S'},
                                                                       {0x01, 'F'},
                                                                       {0x08, 'P'},
                                                                       {0x04, 'R'},
                                                                       {0x20, 'U'},
                                                                       {0x80, 'W'},
                                                                       {0x40, 'E'},
                                                                       {0x10, '.'}}};
  std::string letters;
  for (const auto& [flag, letter] : kLetters) {
    if ((flags & flag) != 0) letters += letter;
  }
  return letters;
}

std::string printable(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      safe += fmt::format("\\x{:02x}", byte);
    } else {
      safe += c;
    }
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

}  // namespace orb8
