// SPDX-License-Identifier: Apache-2.0
#include "cli/usage_error.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "cli/command_tree.h"
#include "cli/flag_values.h"
#include "cli/format.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

std::string name_of(const CLI::App& command) {
  const auto words = command_words(command);
  return words.empty() ? "orb8" : words;
}

bool has_flag(const CLI::App& app, const std::string& name) {
  for (const auto* option : app.get_options()) {
    for (const auto& known : option->get_lnames()) {
      if ("--" + known == name) return true;
    }
  }
  return false;
}

// The first command at or below `app` that has the flag; null: none.
const CLI::App* owner_of(const CLI::App& app, const std::string& flag) {
  if (has_flag(app, flag)) return &app;
  for (const auto* command : commands_of(app)) {
    if (const auto* owner = owner_of(*command, flag)) return owner;
  }
  return nullptr;
}

void add_flags(const CLI::App& app, std::vector<std::string>& flags) {
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
  }
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const auto like = nearest(word, known);
  return like.empty() ? "" : fmt::format("; did you mean {}?", like);
}

std::string unknown_flag(const CLI::App& app, const CLI::App& command, const std::string& word) {
  const auto flag = word.substr(0, word.find('='));
  if (const auto* owner = owner_of(app, flag)) {
    if (owner == &command) return fmt::format("{} goes behind '{}'", flag, name_of(command));
    return fmt::format("{} is a flag of '{}', not of '{}'", flag, name_of(*owner),
                       name_of(command));
  }
  std::vector<std::string> known;
  for (const auto* at = &command; at != nullptr; at = at->get_parent()) add_flags(*at, known);
  return fmt::format("unknown flag {}{}", printable(flag), did_you_mean(flag, known));
}

std::string unknown_word(const CLI::App& command, const std::string& word) {
  std::vector<std::string> known;
  for (const auto* sub : commands_of(command)) known.push_back(sub->get_name());
  if (known.empty()) {
    return fmt::format("'{}' does not take '{}'", name_of(command), printable(word));
  }
  const auto like = did_you_mean(word, known);
  return fmt::format("unknown command '{}'{}", printable(word),
                     like.empty() ? fmt::format("; there is {}", fmt::join(known, ", ")) : like);
}

// CLI11 names the flag somewhere in its sentence.
std::string wrong_count(const CLI::App& app, std::string_view sentence) {
  const auto flag = std::string(sentence.substr(0, sentence.find(':')));
  const auto* values = values_of(flag);
  if (values == nullptr || owner_of(app, flag) == nullptr) return std::string(sentence);
  if (sentence.find("received") != std::string_view::npos) {
    return fmt::format("{} is given twice", flag);
  }
  return fmt::format("{}: the value is missing; it must be {}", flag, values->allowed);
}

}  // namespace

std::string see_help(const CLI::App& app) {
  const auto words = command_words(chosen_app(app));
  return fmt::format("; see orb8 {}{}--help", words, words.empty() ? "" : " ");
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto& command = chosen_app(app);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return wrong_count(app, error.what());
  }
  // What no flag or command took, those of the innermost command last.
  const auto left = app.remaining(true);
  if (left.empty()) {
    if (commands_of(command).empty()) return error.what();
    std::vector<std::string> names;
    for (const auto* sub : commands_of(command)) names.push_back(sub->get_name());
    return fmt::format("'{}' needs a command: {}", name_of(command), fmt::join(names, ", "));
  }
  const auto& word = left.front();
  return word.starts_with("-") ? unknown_flag(app, command, word) : unknown_word(command, word);
}

}  // namespace orb8
