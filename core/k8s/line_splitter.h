// A stream of bytes as lines, however they arrive.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace orb8::k8s {

class LineSplitter {
 public:
  // The line may be changed and its capacity used. Return false: no more of them.
  using OnLine = std::function<bool(std::string& line)>;

  explicit LineSplitter(std::size_t max_line_bytes) : max_bytes_(max_line_bytes) {}

  // Calls for each line that is whole now; empty ones are passed over, and too long ones are
  // counted in too_long(). False: on_line wanted no more.
  bool feed(std::string_view part, const OnLine& on_line);

  // The last line, if nothing ended it.
  bool finish(const OnLine& on_line);

  std::uint64_t too_long() const { return too_long_; }

 private:
  void add(std::string_view part);
  bool end_line(const OnLine& on_line);

  std::size_t max_bytes_;
  std::string line_;
  bool skipping_ = false;  // the line is too long; what comes up to its end is dropped
  std::uint64_t too_long_ = 0;
};

}  // namespace orb8::k8s
