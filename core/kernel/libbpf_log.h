// libbpf's own words, verifier output included: kept, not printed, until something fails.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>

namespace orb8 {

// While alive, collects on this thread what libbpf would print to stderr. Debug lines go to the
// log.
class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // The last lines, joined to one: what an error message has room for. All of it went to the log
  // at debug level.
  std::string tail() const;

 private:
  std::deque<std::string> lines_;
  std::deque<std::string>* outer_;  // of the LibbpfLog that this one interrupts, if any
};

}  // namespace orb8
