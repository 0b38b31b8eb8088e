// A file of lines that is renamed before it grows too large. Whole lines, whatever happens.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace orb8 {

// Opened with the first line, and anew where the file was renamed, replaced or removed meanwhile. A
// line that a crash tore is cut off then. One writer.
class RotatingFile {
 public:
  struct Options {
    std::string path;
    std::uint64_t max_size = 64ULL << 20U;  // bytes; a single line may be longer
    std::uint32_t keep = 4;                 // PATH.1, the latest, to PATH.<keep>
    bool sync = false;                      // before it is let go: renamed here, or by others
    // As fdatasync(2) and fsync(2).
    std::function<int(int fd)> sync_file = ::fdatasync;
    std::function<int(int fd)> sync_folder = ::fsync;
  };

  explicit RotatingFile(Options options) : options_(std::move(options)) {}

  struct Appended {
    std::size_t bytes = 0;       // of whole lines
    std::optional<Error> error;  // why it is not all; what is to be done about it is in it
  };
  // `lines`: whole ones. What cannot be written whole is not there.
  Appended append(std::string_view lines);

  // Brings it to the disk, if it is open, and the names in its folder that changed since.
  Result<void> sync();

 private:
  Result<void> open();
  Result<void> mend(off_t size);
  Result<std::uint64_t> size();
  bool is_still_there() const;
  Result<void> rotate();
  Result<void> sync_names();
  Appended write(std::string_view lines);

  Options options_;
  UniqueFd fd_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool names_changed_ = false;  // since the folder was last brought to the disk
};

}  // namespace orb8
