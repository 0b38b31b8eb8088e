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
)";

constexpr const char* kFindCommand = R"(  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      {}) # its value is no command
        [[ ${{COMP_WORDS[i+1]}} == "=" ]] && ((i++))
        ((i++)) ;;
      *)
        case "$command${{command:+ }}$word" in
          {}) command="$command${{command:+ }}$word" ;;
        esac ;;
    esac
  done
)";

constexpr const char* kEnd = R"(  [[ $cur == -* || -z $words ]] && words=$flags
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _orb8 orb8
)";

}  // namespace

std::string bash_completion(const CompletionModel& model) {
  std::string values;
  std::vector<std::string> takers;
  for (const auto& flag : model.flags) {
    if (flag.takes_value) takers.push_back(flag.pattern);
    if (flag.name == "--interface") {
      values += fmt::format(
          "    {}) mapfile -t COMPREPLY < <(cd /sys/class/net && compgen -G \"$cur*\"); return "
          ";;\n",
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
    std::vector<std::string> words;
    std::vector<std::string> flags;
    for (const auto& word : command.words) words.push_back(word.word);
    for (const auto& flag : command.flags) flags.push_back(flag.name);
    if (!command.path.empty()) paths.push_back("\"" + command.path + "\"");
    commands += fmt::format("    \"{}\") words=\"{}\" flags=\"{}\" ;;\n", command.path,
                            fmt::join(words, " "), fmt::join(flags, " "));
  }
  return std::string(kBegin) + "  case $flag in\n" + values + "  esac\n" +
         fmt::format(fmt::runtime(kFindCommand), fmt::join(takers, "|"), fmt::join(paths, "|")) +
         "  case $command in\n" + commands + "  esac\n" + kEnd;
}

}  // namespace orb8
