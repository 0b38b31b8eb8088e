// SPDX-License-Identifier: Apache-2.0
#include "core/base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/unique_fd.h"

namespace orb8 {

Result<std::string> read_file(const std::string& path, std::size_t max_bytes,
                              const std::string& doing) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return sys_error(errno, doing);
  std::string text;
  std::array<char, 4096> part = {};
  for (;;) {
    const auto got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return sys_error(errno, doing);
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return fail(Errc::kExhausted,
                  doing + ": larger than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

}  // namespace orb8
