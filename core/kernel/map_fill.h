// How full the kernel's maps and rings are, and how much its programs ran.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/status.h"

struct bpf_object;

namespace orb8 {

// Under the map's name, with the size that it was made with. The kernel does not tell how many
// entries a hash map has: `used` is what its reader counted.
Fill fill_of_map(int map_fd, std::uint64_t used);

// Of each loaded program; none while the kernel does not count (kernel.bpf_stats_enabled is 0).
std::vector<ProgramRuns> program_runs(const bpf_object* object);

}  // namespace orb8
