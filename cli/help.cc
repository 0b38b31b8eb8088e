// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cli/command_tree.h"

namespace orb8 {
namespace {

constexpr std::size_t kPageWidth = 90;
constexpr std::size_t kIndent = 26;  // where the descriptions of flags begin
constexpr const char* kSettings = "Settings";

// The words of a text in lines, each but the first behind `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string lines;
  std::size_t column = indent;
  for (std::string word; words >> word;) {
    const bool first = column == indent;
    if (!first && column + 1 + word.size() > kPageWidth) {
      lines += "\n" + std::string(indent, ' ') + word;
      column = indent + word.size();
      continue;
    }
    lines += (first ? "" : " ") + word;
    column += word.size() + (first ? 0 : 1);
  }
  return lines;
}

std::string entry(const std::string& name, const std::string& about) {
  auto line = "  " + name;
  line += line.size() + 2 > kIndent ? "\n" + std::string(kIndent, ' ')
                                    : std::string(kIndent - line.size(), ' ');
  return line + wrapped(about, kIndent) + "\n";
}

// "-o, --output FORMAT"
std::string option_text(const CLI::Option& option) {
  std::string text;
  for (const auto& name : option.get_snames()) text += "-" + name + ", ";
  text += flag_name(option);
  const auto type = option.get_type_name();
  if (option.get_items_expected_max() == 0 || type.empty()) return text;
  return text + " " + type.substr(0, type.find(" ..."));
}

std::string usage_line(const CLI::App& command) {
  std::string line = "orb8";
  if (const auto words = command_words(command); !words.empty()) line += " " + words;
  if (!commands_of(command).empty()) line += " COMMAND";
  for (const auto* option : command.get_options()) {
    if (option->get_positional()) line += " " + option->get_type_name();
  }
  return line + " [FLAGS]";
}

std::string options_in(const CLI::App& app, const std::string& group) {
  std::string text;
  for (const auto* option : app.get_options()) {
    if (option->get_group() != group) continue;
    text += option->get_positional() ? entry(option->get_type_name(), option->get_description())
                                     : entry(option_text(*option), option->get_description());
  }
  return text.empty() ? "" : "\n" + group + ":\n" + text;
}

}  // namespace

std::string help_page(const CLI::App& command) {
  const auto* root = &command;
  while (root->get_parent() != nullptr) root = root->get_parent();

  auto page = wrapped(command.get_description(), 0) + "\n\nUsage:\n  " + usage_line(command) + "\n";
  if (const auto commands = commands_of(command); !commands.empty()) {
    page += "\nCommands:\n";
    for (const auto* sub : commands) page += entry(sub->get_name(), sub->get_description());
  }
  for (const char* group : {"Arguments", "Filters", "Flags"}) page += options_in(command, group);
  page += options_in(*root, "Global flags");
  // Of those that only print something, nobody asks how probes attach.
  const bool watches = &command == root || !options_in(command, "Flags").empty();
  auto settings = watches ? options_in(*root, kSettings) : "";
  if (const auto at = settings.find(kSettings); at != std::string::npos) {
    settings.insert(at + std::string_view(kSettings).size(), " of standalone mode");
  }
  return page + settings + "\n" + command.get_footer() + "\n";
}

}  // namespace orb8
