// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/completion_model.h"

namespace orb8 {
namespace {

constexpr const char* kBegin =
    R"(# bash completion for orb8: source it, or keep it in /etc/bash_completion.d.
_orb8() {
  local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]}
  local command="" words="" flags="" word i
  COMPREPLY=()
  # bash makes three words of "--output=json".
  if [[ $cur == "=" ]]; then
    cur=""
  elif [[ $flag == "=" ]] && ((COMP_CWORD > 1)); then
    flag=${COMP_WORDS[COMP_CWORD-2]}
  fi
  case $flag in
)";

// Then a pattern of the flags with a value.
constexpr const char* kWords = R"(  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      )";
// Then a pattern of the commands.
constexpr const char* kCommands = R"() # its value is no command
        [[ ${COMP_WORDS[i+1]} == "=" ]] && ((i++))
        ((i++)) ;;
      *)
        case "$command${command:+ }$word" in
          )";
// Then what each command offers.
constexpr const char* kOffers = R"() command="$command${command:+ }$word" ;;
        esac ;;
    esac
  done
  case $command in
)";

constexpr const char* kEnd = R"(  esac
  [[ $cur == -* || -z $words ]] && words=$flags
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _orb8 orb8
)";

// "status flows trace"
template <class Named>
std::string names_of(const std::vector<Named>& things) {
  std::string names;
  for (const auto& thing : things) names += (names.empty() ? "" : " ") + thing.name;
  return names;
}

}  // namespace

std::string bash_completion(const CompletionModel& model) {
  std::string values;
  std::vector<std::string> takers;
  for (const auto& flag : model.flags) {
    if (flag.takes_value) takers.push_back(flag.pattern);
    if (flag.name == "--interface") {
      values += fmt::format(
          "    {}) mapfile -t COMPREPLY < <(cd /sys/class/net &>/dev/null && compgen -G "
          "\"$cur*\"); "
          "return "
          ";;\n",
          flag.pattern);
    } else if (flag.takes_file) {
      values += fmt::format(
          "    {}) compopt -o filenames 2>/dev/null\n"
          "      mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n",
          flag.pattern);
    } else if (!flag.words.empty()) {
      values += fmt::format(
          "    {}) mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$cur\"); return ;;\n",
          flag.pattern, fmt::join(flag.words, " "));
    } else if (flag.takes_value) {
      values += fmt::format("    {}) return ;;\n", flag.pattern);
    }
  }
  std::vector<std::string> paths;
  std::string commands;
  for (const auto& command : model.commands) {
    if (!command.path.empty()) paths.push_back("\"" + command.path + "\"");
    commands += fmt::format("    \"{}\") words=\"{}\" flags=\"{}\" ;;\n", command.path,
                            names_of(command.words), names_of(command.flags));
  }
  return fmt::format("{}{}{}{}{}{}{}{}{}", kBegin, values, kWords, fmt::join(takers, "|"),
                     kCommands, fmt::join(paths, "|"), kOffers, commands, kEnd);
}

}  // namespace orb8
