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
  case $flag in
)";

// Then a pattern of the flags with a value.
constexpr const char* kWords = R"(  esac
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
    case $word in
      )";
// Then a pattern of the commands.
constexpr const char* kCommands = R"() ((i++)) ;; # its value is no command
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
  if [[ $PREFIX == -* ]] || (( ! $#candidates )); then
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

// 'name:about' of each, without the quotes that would end the string.
template <class Named>
std::string described(const std::vector<Named>& things) {
  std::string all;
  for (const auto& thing : things) {
    auto about = thing.about;
    std::erase(about, '\'');
    all += fmt::format("{}'{}{}{}'", all.empty() ? "" : " ", thing.name, about.empty() ? "" : ":",
                       about);
  }
  return all;
}

std::string arm(const CompletedCommand& command) {
  return fmt::format("    \"{}\")\n      candidates=({})\n      flags=({}) ;;\n", command.path,
                     described(command.words), described(command.flags));
}

}  // namespace

std::string zsh_completion(const CompletionModel& model) {
  std::string values;
  std::vector<std::string> takers;
  for (const auto& flag : model.flags) {
    if (flag.takes_value) takers.push_back(flag.pattern);
    if (flag.name == "--interface") {
      values += fmt::format("    {}) compadd -- /sys/class/net/*(:t); return ;;\n", flag.pattern);
    } else if (flag.takes_file) {
      values += fmt::format("    {}) _files; return ;;\n", flag.pattern);
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
  return fmt::format("{}{}{}{}{}{}{}{}{}", kBegin, values, kWords, fmt::join(takers, "|"),
                     kCommands, fmt::join(paths, "|"), kOffers, commands, kEnd);
}

}  // namespace orb8
