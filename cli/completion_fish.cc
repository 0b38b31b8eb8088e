// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "cli/completion_model.h"

namespace orb8 {
namespace {

constexpr const char* kBegin =
    "# fish completion for orb8: keep it in ~/.config/fish/completions/orb8.fish.\n"
    "complete -c orb8 -f\n";

std::string quoted(std::string text) {
  std::erase(text, '\'');
  return "'" + text + "'";
}

// True where this command was typed, and none below it.
std::string condition_of(const CompletedCommand& command) {
  if (command.path.empty()) return "__fish_use_subcommand";
  std::string condition;
  for (const auto part : std::views::split(command.path, ' ')) {
    condition += (condition.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") +
                 std::string(part.begin(), part.end());
  }
  std::string below;
  for (const auto& word : command.words) below += " " + word.name;
  if (!below.empty()) condition += "; and not __fish_seen_subcommand_from" + below;
  return condition;
}

std::string flag_line(const CompletedFlag& flag, const std::string& condition) {
  std::string text = "complete -c orb8";
  if (!condition.empty()) text += " -n " + quoted(condition);
  text += " -l " + flag.name.substr(2);
  if (!flag.short_name.empty()) text += " -s " + flag.short_name.substr(1);
  if (flag.name == "--interface") {
    text += " -x -a '(path basename /sys/class/net/*)'";
  } else if (flag.takes_file) {
    text += " -r -F";
  } else if (!flag.words.empty()) {
    text += fmt::format(" -x -a '{}'", fmt::join(flag.words, " "));
  } else if (flag.takes_value) {
    text += " -x";
  }
  return text + " -d " + quoted(flag.about) + "\n";
}

}  // namespace

std::string fish_completion(const CompletionModel& model) {
  std::string script = kBegin;
  const auto& global = model.commands.front().flags;
  for (const auto& flag : global) script += flag_line(flag, "");
  for (const auto& command : model.commands) {
    const auto condition = condition_of(command);
    for (const auto& word : command.words) {
      script += fmt::format("complete -c orb8 -n '{}' -a {} -d {}\n", condition, word.name,
                            quoted(word.about));
    }
    for (const auto& flag : command.flags) {
      const auto same = [&](const CompletedFlag& other) { return other.name == flag.name; };
      if (std::ranges::none_of(global, same)) script += flag_line(flag, condition);
    }
  }
  return script;
}

}  // namespace orb8
