// A file's lines, or standard input's, one by one and as they come.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace orb8 {

class LineReader {
 public:
  // A line that is longer is told of and passed over: whatever is read, memory is bounded.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

  enum class Got : std::uint8_t { kLine, kTooLong, kEnd, kStopped };

  // "-" is standard input. Errors say why it cannot be read.
  static Result<LineReader> open(const std::string& path);

  // As it is called in messages.
  static std::string name_of(const std::string& path);

  // The next line without its end, into `line`; of one that is too long, its beginning. Waits for
  // it where it is not there yet, until `stop` is requested. The last line may be without an end.
  Result<Got> next(std::string& line, const std::stop_token& stop);

  // Called whenever it has to look for more, which may take until somebody writes it.
  void set_before_read(std::function<void()> before_read) { before_read_ = std::move(before_read); }

  // Of the line that was read last; the first is 1.
  std::uint64_t number() const { return number_; }

 private:
  LineReader(UniqueFd fd, UniqueFd wake, std::string name);

  Result<Got> fill(const std::stop_token& stop);

  UniqueFd fd_;
  UniqueFd wake_;  // readable once a stop was requested
  std::string name_;
  std::function<void()> before_read_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is in the buffer and was not taken yet
  std::size_t end_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace orb8
