// SPDX-License-Identifier: Apache-2.0
#include "core/base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

std::string size_text(std::size_t bytes) {
  constexpr unsigned kMibBits = 20;
  const auto mib = bytes >> kMibBits;
  return mib << kMibBits == bytes ? std::to_string(mib) + " MiB" : std::to_string(bytes) + " bytes";
}

}  // namespace

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
      return fail(Errc::kInvalid, doing + ": larger than " + size_text(max_bytes));
    }
  }
}

}  // namespace orb8
