// SPDX-License-Identifier: Apache-2.0
#include "cli/flag_values.h"

#include <fmt/format.h>

#include "cli/filter_flags.h"
#include "cli/format.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

constexpr const char* kTime = "a time, as 500ms, 30s, 5m or 1m30s";
constexpr const char* kCount = "a number from 1 to 4294967295";
constexpr const char* kMoment =
    "a time back, as 30s or 5m, a local time, as 17:27:47, '2026-11-28 17:27:47', "
    "'Nov 28 17:27:47.123' or 2026-11-28, or one with its zone, as 2026-11-28T17:27:47Z";
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
      one_of("--time-format", kTimeWords),
      one_of("--sort", kSortWords),
      one_of("--by", kGroupByWords),
      one_of("--mode", kModeWords),
      one_of("shell", {kShells.begin(), kShells.end()}),
      {.flag = "--agent", .allowed = "HOST:PORT, as localhost:9090 or [fd00::7]:9090", .words = {}},
      {.flag = "--limit", .allowed = "a number from 0 to 4294967295", .words = {}},
      {.flag = "--input-file", .allowed = "a file's name, or -", .words = {}},
      {.flag = "--top", .allowed = kCount, .words = {}},
      {.flag = "--last", .allowed = kCount, .words = {}},
      {.flag = "--first", .allowed = kCount, .words = {}},
      {.flag = "--since", .allowed = kMoment, .words = {}},
      {.flag = "--until", .allowed = kMoment, .words = {}},
      {.flag = "--window", .allowed = kTime, .words = {}},
      {.flag = "--config", .allowed = "a file's name", .words = {}},
      {.flag = "--duration", .allowed = kTime, .words = {}},
      {.flag = "--watch", .allowed = kTime, .words = {}},
      {.flag = "--connect-timeout", .allowed = kTime, .words = {}}};
  for (const auto& flag : filter_flags()) {
    if (flag.type.empty()) continue;
    all.push_back({.flag = flag.name(), .allowed = flag.allowed, .words = flag.words});
  }
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

std::unexpected<Error> not_allowed(std::string_view flag, const std::string& value,
                                   const std::string& named) {
  const auto& values = *values_of(flag);
  const auto like = nearest(value, values.words);
  return fail(Errc::kInvalid,
              fmt::format("{}: '{}' is not allowed; it must be {}{}", named.empty() ? flag : named,
                          printable(value), values.allowed,
                          like.empty() ? "" : "; did you mean " + like + "?"));
}

}  // namespace orb8
