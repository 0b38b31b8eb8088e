// What a process has of the kernel's BPF objects, as its descriptors tell.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

namespace orb8 {

// `label`: "prog_id:" or "map_id:".
inline std::set<std::uint32_t> bpf_ids(pid_t pid, std::string_view label) {
  const auto folder = "/proc/" + std::to_string(pid) + "/fdinfo";
  std::set<std::uint32_t> ids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::ifstream about(entry.path());
    for (std::string word; about >> word;) {
      std::uint32_t id = 0;
      if (word == label && about >> id) ids.insert(id);
    }
  }
  return ids;
}

}  // namespace orb8
