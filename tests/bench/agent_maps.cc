// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/agent_maps.h"

#include <bpf/bpf.h>

#include <vector>

#include "core/base/unique_fd.h"
#include "tests/bpf_ids.h"

namespace orb8::bench {
namespace {

// Bounded: a walk over a map that is written may begin anew.
std::uint64_t count_keys(int fd, const bpf_map_info& info) {
  std::vector<std::byte> key(info.key_size);
  std::uint64_t entries = 0;
  const void* from = nullptr;
  while (entries < 2ULL * info.max_entries && bpf_map_get_next_key(fd, from, key.data()) == 0) {
    from = key.data();
    ++entries;
  }
  return entries;
}

}  // namespace

Result<std::uint64_t> map_entries(pid_t pid, const std::string& name) {
  for (const auto id : bpf_ids(pid, "map_id:")) {
    const UniqueFd map(bpf_map_get_fd_by_id(id));
    bpf_map_info info = {};
    std::uint32_t size = sizeof(info);
    if (!map || bpf_map_get_info_by_fd(map.get(), &info, &size) != 0) continue;
    if (name == static_cast<const char*>(info.name)) return count_keys(map.get(), info);
  }
  return fail(Errc::kNotFound, "process " + std::to_string(pid) + " holds no map " + name);
}

}  // namespace orb8::bench
