// What there is to complete: the command tree, as the scripts of all shells need it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace orb8 {

struct CompletedFlag {
  std::string name;                // "--output"
  std::string short_name;          // "-o", or empty
  std::string about;               // the first sentence of its help
  std::string pattern;             // how a shell's `case` finds it: "--output|-o"
  bool takes_value = false;        // the next word is its value
  bool takes_file = false;         // which is a file's name
  std::vector<std::string> words;  // the values there are; empty: free text
};

struct CompletedWord {
  std::string name;
  std::string about;
};

struct CompletedCommand {
  std::string path;                  // "trace network"; empty for the program itself
  std::vector<CompletedWord> words;  // commands below, or values of an argument
  std::vector<CompletedFlag> flags;  // its own, then the global ones
};

struct CompletionModel {
  std::vector<CompletedCommand> commands;  // the program first
  std::vector<CompletedFlag> flags;        // every flag there is, once
};

CompletionModel completion_model();

std::string bash_completion(const CompletionModel& model);
std::string zsh_completion(const CompletionModel& model);
std::string fish_completion(const CompletionModel& model);

}  // namespace orb8
