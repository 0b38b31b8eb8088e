// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <vector>

#include "cli/command_tree.h"

namespace orb8 {
namespace {

struct Level {
  std::string command;  // "", "flows", "trace network"
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> described;  // the same, with their help
};

// Values that a flag takes, where there are few.
const std::map<std::string, std::string> kValues = {{"--output", "table wide json"},
                                                    {"-o", "table wide json"},
                                                    {"--color", "auto always never"},
                                                    {"--mode", "standalone cluster"},
                                                    {"--sort", "bytes packets last-seen"},
                                                    {"--direction", "ingress egress"},
                                                    {"--protocol", "tcp udp icmp icmpv6 sctp"},
                                                    {"--flow-source", "auto tc"},
                                                    {"--tc-attach", "auto tcx clsact"},
                                                    {"--tc-anchor", "head tail"}};

std::string first_sentence(const std::string& text) {
  return text.substr(0, text.find(". "));
}

void collect(const CLI::App& app, const std::string& command, const CLI::App& root,
             std::vector<Level>& levels) {
  Level level{.command = command, .words = {}, .described = {}};
  const auto add = [&](const std::string& word, const std::string& help) {
    if (std::ranges::find(level.words, word) != level.words.end()) return;
    level.words.push_back(word);
    level.described.emplace_back(word, first_sentence(help));
  };
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    add(sub->get_name(), sub->get_description());
  }
  if (command == "completion") {
    for (const char* shell : {"bash", "zsh", "fish"}) add(shell, "");
  }
  for (const auto* from : {&app, &root}) {
    for (const auto* option : from->get_options()) {
      for (const auto& name : option->get_lnames()) add("--" + name, option->get_description());
    }
  }
  levels.push_back(std::move(level));
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    collect(*sub, command + (command.empty() ? "" : " ") + sub->get_name(), root, levels);
  }
}

std::vector<Level> levels() {
  CLI::App app;
  RawOptions raw;
  build_command_tree(app, raw);
  std::vector<Level> all;
  collect(app, "", app, all);
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::string bash_script() {
  std::string values;
  for (const auto& [flag, words] : kValues) {
    values += fmt::format("    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); return ;;\n",
                          flag, words);
  }
  std::string commands;
  for (const auto& level : levels()) {
    commands += fmt::format("    \"{}\") words=\"{}\" ;;\n", level.command, joined(level.words));
  }
  return "_orb8() {\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  local command=\"\" words=\"\" word\n"
         "  case \"$previous\" in\n" +
         values +
         "  esac\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"$word\" in\n"
         "      status|flows|trace|version|completion) command=\"$word\" ;;\n"
         "      network) command=\"$command network\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$command\" in\n" +
         commands +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -F _orb8 orb8\n";
}

// Quotes for a single-quoted string of zsh or fish.
std::string quoted(std::string text) {
  std::erase(text, '\'');
  return text;
}

std::string zsh_script() {
  std::string commands;
  for (const auto& level : levels()) {
    commands += fmt::format("    \"{}\") candidates=(", level.command);
    for (auto [word, help] : level.described) {
      std::erase(help, ':');
      commands += fmt::format(" '{}:{}'", word, quoted(help));
    }
    commands += " ) ;;\n";
  }
  return "#compdef orb8\n"
         "_orb8() {\n"
         "  local command=\"\" word\n"
         "  local -a candidates\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    case \"$word\" in\n"
         "      status|flows|trace|version|completion) command=\"$word\" ;;\n"
         "      network) command=\"$command network\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$command\" in\n" +
         commands +
         "  esac\n"
         "  _describe 'orb8' candidates\n"
         "}\n"
         "compdef _orb8 orb8\n";
}

std::string fish_script() {
  std::string script = "complete -c orb8 -f\n";
  for (const auto& level : levels()) {
    const auto last = level.command.substr(level.command.rfind(' ') + 1);
    const auto condition = level.command.empty() ? std::string("__fish_use_subcommand")
                                                 : "__fish_seen_subcommand_from " + last;
    for (const auto& [word, help] : level.described) {
      const bool flag = word.starts_with("--");
      script += fmt::format("complete -c orb8 -n '{}' {} {} -d '{}'\n", condition,
                            flag ? "-l" : "-a", flag ? word.substr(2) : word, quoted(help));
    }
  }
  return script;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return bash_script();
}

}  // namespace orb8
