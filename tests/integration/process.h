// One of our programs as users run it: a process of its own, its output read as it comes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/unique_fd.h"

namespace orb8::integration {

// Long enough for a sanitizer on a busy machine; only what fails waits for it.
constexpr std::chrono::seconds kPatience{30};

struct Command {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // all it gets, but for PATH and sanitizers' own
  std::optional<uid_t> user;                       // other than this process's
  int in_fd = -1;                                  // standard input; else there is nothing to read
  int out_fd = -1;                                 // standard output, if it is not to be kept here
  int err_fd = -1;                                 // and standard error
};

// The program (of $ORB8_BIN_DIR, or found by its path), in the calling thread's network namespace.
// Throws where it cannot be started; killed where it still runs at the end.
class Process {
 public:
  explicit Process(const std::string& program, const Command& command = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Whether the words are there before the patience is over.
  bool says(const std::string& words, std::chrono::milliseconds patience = kPatience);  // on stderr
  bool prints(const std::string& words,
              std::chrono::milliseconds patience = kPatience);  // on stdout

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // The status it exits with; 128 and the number where a signal ends it; none: it goes on.
  std::optional<int> exit_status(std::chrono::milliseconds patience = kPatience);

  // What came so far; all there is once it has exited.
  std::string out();
  std::string err();

 private:
  struct Stream {
    UniqueFd fd;
    std::string text;
    std::thread reader;
  };

  void keep(Stream& stream);
  bool wait_for(const Stream& stream, const std::string& words, std::chrono::milliseconds patience);

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<int> status_;
  std::mutex mutex_;
  std::condition_variable more_;
  Stream out_;
  Stream err_;
};

std::vector<std::string> lines_of(const std::string& text);

}  // namespace orb8::integration
