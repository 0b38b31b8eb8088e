// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/unique_fd.h"

namespace orb8::integration {

// A file that is gone with the test.
class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    std::string pattern = std::filesystem::temp_directory_path() / "orb8-test-XXXXXX";
    const UniqueFd fd(::mkstemp(pattern.data()));
    path_ = pattern;
    std::ofstream(path_) << text;
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace orb8::integration
