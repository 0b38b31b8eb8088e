// What a process is called, where the kernel's own record of it did not say.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace orb8 {

// The command name of `pid`, at most 15 bytes. Absent when there is no such process (any more).
// Below `root`: "" for this machine; tests put a made-up /proc there.
std::optional<std::string> comm_of(std::uint32_t pid, const std::string& root);

}  // namespace orb8
