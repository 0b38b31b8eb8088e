// What rows of the table of settings are made of: one function for each kind of value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/settings.h"
#include "core/config/values.h"

namespace orb8 {

// Rows of other files, in the order of the table.
void add_export(std::vector<Setting>& all);
void add_otlp(std::vector<Setting>& all);

namespace setting_kinds {

using Values = std::vector<std::string>;
using Range = std::pair<std::uint64_t, std::uint64_t>;

// What every row says of itself; the rest follows from the kind of its value.
struct Named {
  std::string_view key;
  std::string_view variable;
  std::string_view value_name;
  std::string_view help;
};

inline Setting row(const Named& named, std::string allowed) {
  return {.key = named.key,
          .variable = named.variable,
          .allowed = std::move(allowed),
          .help = named.help,
          .value_name = named.value_name,
          .default_words = {},
          .set = {},
          .get = {}};
}

template <class Int>
Setting number(const Named& named, Int Config::* field, Range range) {
  const auto [least, most] = range;
  auto made = row(named, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  made.set = [=](Config& config, const Values& given) {
    const auto value = parse_unsigned(given.front());
    if (!value || *value < least || *value > most) return false;
    config.*field = static_cast<Int>(*value);
    return true;
  };
  made.get = [=](const Config& config) { return Values{std::to_string(config.*field)}; };
  return made;
}

// Several texts, each of which `is_one`; none by default.
template <class IsOne>
Setting list(const Named& named, std::string allowed, std::vector<std::string> Config::* field,
             IsOne is_one) {
  auto made = row(named, std::move(allowed));
  made.default_words = "none";
  made.list = true;
  made.set = [=](Config& config, const Values& given) {
    if (given.empty() || !std::ranges::all_of(given, is_one)) return false;
    config.*field = given;
    return true;
  };
  made.get = [=](const Config& config) { return config.*field; };
  return made;
}

template <class Enum>
Setting choice(const Named& named, Enum Config::* field,
               const std::vector<std::pair<std::string, Enum>>& words) {
  using Word = std::pair<std::string, Enum>;
  std::string allowed = "one of";
  for (const auto& [word, value] : words) allowed += (allowed == "one of" ? " " : ", ") + word;
  auto made = row(named, std::move(allowed));
  made.set = [=](Config& config, const Values& given) {
    const auto found = std::ranges::find(words, given.front(), &Word::first);
    if (found == words.end()) return false;
    config.*field = found->second;
    return true;
  };
  made.get = [=](const Config& config) {
    return Values{std::ranges::find(words, config.*field, &Word::second)->first};
  };
  return made;
}

// Bytes, with units.
inline Setting size(const Named& named, std::uint64_t Config::* field, const std::string& allowed,
                    Range range) {
  const auto [least, most] = range;
  auto made = row(named, allowed);
  made.set = [=](Config& config, const Values& given) {
    const auto value = parse_size(given.front());
    if (!value || *value < least || *value > most) return false;
    config.*field = *value;
    return true;
  };
  made.get = [=](const Config& config) { return Values{std::to_string(config.*field)}; };
  return made;
}

// A text that `is_allowed`; empty, and without a value of its own, unless it is given.
inline Setting text(const Named& named, std::string Config::* field, std::string allowed,
                    bool (*is_allowed)(std::string_view)) {
  auto made = row(named, std::move(allowed));
  made.default_words = "none";
  made.set = [=](Config& config, const Values& given) {
    if (!is_allowed(given.front())) return false;
    config.*field = given.front();
    return true;
  };
  made.get = [=](const Config& config) { return Values{config.*field}; };
  return made;
}

inline Setting path(const Named& named, std::string Config::* field) {
  return text(named, field, "an absolute path", is_absolute_path);
}

}  // namespace setting_kinds
}  // namespace orb8
