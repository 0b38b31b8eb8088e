// A BPF map that a process holds, by the name it has in the kernel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/unique_fd.h"
#include "tests/bpf_ids.h"

namespace orb8 {

struct NamedMap {
  UniqueFd fd;
  bpf_map_info info = {};
};

// Names have 15 characters at most. Of several the one that was made first.
inline std::optional<NamedMap> find_map(pid_t pid, std::string_view name) {
  for (const auto id : bpf_ids(pid, "map_id:")) {
    NamedMap map{.fd = UniqueFd(bpf_map_get_fd_by_id(id))};
    std::uint32_t size = sizeof(map.info);
    if (!map.fd || bpf_map_get_info_by_fd(map.fd.get(), &map.info, &size) != 0) continue;
    if (name == static_cast<const char*>(map.info.name)) return map;
  }
  return std::nullopt;
}

}  // namespace orb8
