// SPDX-License-Identifier: Apache-2.0
#include "cli/flag_values.h"

#include <fmt/format.h>

#include "core/config/settings.h"

namespace orb8 {
namespace {

constexpr const char* kTime = "a time, as 500ms, 30s, 5m or 1m30s";
constexpr std::string_view kOneOf = "one of ";

FlagValues one_of(std::string flag, const std::vector<std::string>& words) {
  return {.flag = std::move(flag),
          .allowed = fmt::format("{}{}", kOneOf, fmt::join(words, ", ")),
          .words = words};
}

template <class T, std::size_t N>
FlagValues one_of(std::string flag, const Words<T, N>& words) {
  std::vector<std::string> names;
  for (const auto& [word, meaning] : words) names.emplace_back(word);
  return one_of(std::move(flag), names);
}

// A setting says its choices in words only: "one of auto, socket, tc".
FlagValues of_setting(const Setting& setting) {
  FlagValues values{.flag = flag_of(setting), .allowed = setting.allowed, .words = {}};
  std::string_view rest = setting.allowed;
  if (!rest.starts_with(kOneOf)) return values;
  rest.remove_prefix(kOneOf.size());
  while (!rest.empty()) {
    const auto end = rest.find(", ");
    values.words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  }
  return values;
}

std::vector<FlagValues> all_flags() {
  std::vector<FlagValues> all = {
      one_of("--output", kOutputWords),
      one_of("--color", kColorWords),
      one_of("--sort", kSortWords),
      one_of("--mode", kModeWords),
      one_of("--direction", {"ingress", "egress"}),
      one_of("shell", {kShells.begin(), kShells.end()}),
      {.flag = "--protocol",
       .allowed = "a protocol's name, as tcp, udp, icmp, icmpv6 or sctp, or a number from 0 to 255",
       .words = {"tcp", "udp", "icmp", "icmpv6", "sctp"}},
      {.flag = "--agent", .allowed = "HOST:PORT, as localhost:9090 or [fd00::7]:9090", .words = {}},
      {.flag = "--ip", .allowed = "an address or a prefix, as 10.0.0.0/8 or fd00::/8", .words = {}},
      {.flag = "--port", .allowed = "a number from 0 to 65535", .words = {}},
      {.flag = "--min-rtt",
       .allowed = "a time with its unit, up to 1h, as 50ms or 250us",
       .words = {}},
      {.flag = "--limit", .allowed = "a number from 0 to 4294967295", .words = {}},
      {.flag = "--namespace", .allowed = "a name", .words = {}},
      {.flag = "--config", .allowed = "a file's name", .words = {}},
      {.flag = "--pod", .allowed = "a name", .words = {}},
      {.flag = "--duration", .allowed = kTime, .words = {}},
      {.flag = "--watch", .allowed = kTime, .words = {}},
      {.flag = "--connect-timeout", .allowed = kTime, .words = {}}};
  for (const auto& setting : settings()) all.push_back(of_setting(setting));
  return all;
}

}  // namespace

const FlagValues* values_of(std::string_view flag) {
  static const auto all = all_flags();
  for (const auto& values : all) {
    if (values.flag == flag) return &values;
  }
  return nullptr;
}

}  // namespace orb8
