// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <string>

#include "core/base/unique_fd.h"

namespace orb8::integration {

// A terminal of the test's own, whose other end the test reads.
class Terminal {
 public:
  Terminal(unsigned short columns, unsigned short rows) {
    winsize size = {};
    size.ws_col = columns;
    size.ws_row = rows;
    int near = -1;
    int far = -1;
    EXPECT_EQ(::openpty(&near, &far, nullptr, nullptr, &size), 0);
    near_ = UniqueFd(near);
    far_ = UniqueFd(far);
  }
  int far() const { return far_.get(); }

  // All that was written, until the program has gone.
  std::string text() {
    far_ = UniqueFd();
    std::string text;
    std::array<char, 4096> buffer = {};
    for (ssize_t got = 0; (got = ::read(near_.get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    std::erase(text, '\r');
    return text;
  }

 private:
  UniqueFd near_;
  UniqueFd far_;
};

}  // namespace orb8::integration
