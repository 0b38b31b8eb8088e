// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/agent_maps.h"

#include <bpf/bpf.h>

#include <vector>

#include "tests/named_map.h"

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
  if (const auto map = find_map(pid, name)) return count_keys(map->fd.get(), map->info);
  return fail(Errc::kNotFound, "process " + std::to_string(pid) + " holds no map " + name);
}

}  // namespace orb8::bench
