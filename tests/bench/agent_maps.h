// How full the kernel's maps of a running agent are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "core/base/result.h"

namespace orb8::bench {

// Entries of the hash map `name` that the process holds. By walking over its keys: while others
// write it that is about right.
Result<std::uint64_t> map_entries(pid_t pid, const std::string& name);

}  // namespace orb8::bench
