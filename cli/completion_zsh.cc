// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "cli/completion_model.h"

namespace orb8 {
namespace {

constexpr const char* kBegin = R"(#compdef orb8
# zsh completion for orb8: keep it as _orb8 in a folder of $fpath, or source it.
_orb8() {
  local command="" word flag=${words[CURRENT-1]}
  local -a candidates flags
  local -i i
  if [[ $PREFIX == --*=* ]]; then
    flag=${PREFIX%%=*}
    compset -P '*='
  fi
)";

constexpr const char* kFindCommand = R"(  for ((i = 2; i < CURRENT; i++)); do
    word=${{words[i]}}
    case $word in
      {}) ((i++)) ;; # its value is no command
      *)
        case "$command${{command:+ }}$word" in
          {}) command="$command${{command:+ }}$word" ;;
        esac ;;
    esac
  done
)";

constexpr const char* kEnd = R"(  if [[ $PREFIX == -* ]] || (( ! $#candidates )); then
    _describe -o 'flag' flags
  else
    _describe 'command' candidates
  fi
}
if [[ ${funcstack[1]} == _orb8 ]]; then
  _orb8 "$@" # autoloaded: this file is the function's body
else
  compdef _orb8 orb8
fi
)";

// 'word:about', where a colon would end the word and a quote the string.
std::string described(const std::string& word, std::string about) {
  std::erase(about, '\'');
  if (about.empty()) return fmt::format("'{}'", word);
  return fmt::format("'{}:{}'", word, about);
}

std::string arm(const CompletedCommand& command) {
  std::vector<std::string> words;
  std::vector<std::string> flags;
  for (const auto& word : command.words) words.push_back(described(word.word, word.about));
  for (const auto& flag : command.flags) flags.push_back(described(flag.name, flag.about));
  return fmt::format("    \"{}\")\n      candidates=({})\n      flags=({}) ;;\n", command.path,
                     fmt::join(words, " "), fmt::join(flags, " "));
}

}  // namespace

std::string zsh_completion(const CompletionModel& model) {
  std::string values;
  std::vector<std::string> takers;
  for (const auto& flag : model.flags) {
    if (flag.takes_value) takers.push_back(flag.pattern);
    if (flag.name == "--interface") {
      values += fmt::format("    {}) compadd -- /sys/class/net/*(:t); return ;;\n", flag.pattern);
    } else if (!flag.words.empty()) {
      values += fmt::format("    {}) compadd -- {}; return ;;\n", flag.pattern,
                            fmt::join(flag.words, " "));
    } else if (flag.takes_value) {
      values += fmt::format("    {}) return ;;\n", flag.pattern);
    }
  }
  std::vector<std::string> paths;
  std::string commands;
  for (const auto& command : model.commands) {
    if (!command.path.empty()) paths.push_back("\"" + command.path + "\"");
    commands += arm(command);
  }
  return std::string(kBegin) + "  case $flag in\n" + values + "  esac\n" +
         fmt::format(fmt::runtime(kFindCommand), fmt::join(takers, "|"), fmt::join(paths, "|")) +
         "  case $command in\n" + commands + "  esac\n" + kEnd;
}

}  // namespace orb8
