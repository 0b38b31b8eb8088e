// SPDX-License-Identifier: Apache-2.0
#include "core/identity/process_names.h"

#include <fstream>
#include <iterator>

namespace orb8 {

std::optional<std::string> comm_of(std::uint32_t pid, const std::string& root) {
  if (pid == 0) return std::nullopt;
  std::ifstream file(root + "/proc/" + std::to_string(pid) + "/comm");
  // A name may have line breaks in it; the last one is the file's.
  std::string comm((std::istreambuf_iterator<char>(file)), {});
  if (comm.ends_with('\n')) comm.pop_back();
  return comm.empty() ? std::nullopt : std::optional(comm);
}

}  // namespace orb8
