// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_model.h"

#include <algorithm>

#include "cli/command_tree.h"
#include "cli/completion.h"
#include "cli/flag_values.h"

namespace orb8 {
namespace {

std::string first_sentence(const std::string& text) {
  auto first = text.substr(0, text.find(". "));
  if (first.ends_with('.')) first.pop_back();
  return first;
}

CompletedFlag flag_from(const CLI::Option& option) {
  CompletedFlag flag{.name = flag_name(option),
                     .short_name = {},
                     .about = first_sentence(option.get_description()),
                     .pattern = flag_name(option),
                     .takes_value = false,
                     .takes_file = option.get_type_name() == "PATH",
                     .words = {}};
  if (!option.get_snames().empty()) {
    flag.short_name = "-" + option.get_snames().front();
    flag.pattern += "|" + flag.short_name;
  }
  if (const auto* values = values_of(flag.name)) {
    // One whose value may be left out does not swallow the word behind it.
    flag.takes_value = option.get_expected_min() > 0;
    flag.words = values->words;
  }
  return flag;
}

class Collector {
 public:
  CompletionModel collect() {
    build_command_tree(root_, raw_);
    visit(root_);
    return std::move(model_);
  }

 private:
  void visit(const CLI::App& app) {
    CompletedCommand command{.path = command_words(app), .words = {}, .flags = {}};
    for (const auto* sub : commands_of(app)) {
      command.words.push_back({sub->get_name(), first_sentence(sub->get_description())});
    }
    add_options(app, command);
    if (&app != &root_) add_options(root_, command);
    model_.commands.push_back(std::move(command));
    for (const auto* sub : commands_of(app)) visit(*sub);
  }

  void add_options(const CLI::App& app, CompletedCommand& command) {
    for (const auto* option : app.get_options()) {
      if (option->get_positional()) {
        for (const auto& word : values_of(option->get_name())->words) {
          command.words.push_back({word, ""});
        }
        continue;
      }
      auto flag = flag_from(*option);
      const auto same = [&](const CompletedFlag& other) { return other.name == flag.name; };
      if (std::ranges::none_of(model_.flags, same)) model_.flags.push_back(flag);
      if (std::ranges::none_of(command.flags, same)) command.flags.push_back(std::move(flag));
    }
  }

  CLI::App root_;
  RawOptions raw_;
  CompletionModel model_;
};

}  // namespace

CompletionModel completion_model() {
  return Collector().collect();
}

std::string completion_script(const std::string& shell) {
  const auto model = completion_model();
  if (shell == "zsh") return zsh_completion(model);
  if (shell == "fish") return fish_completion(model);
  return bash_completion(model);
}

}  // namespace orb8
