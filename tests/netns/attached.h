// What is attached to an interface, as the kernel tells it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/flow.h"
#include "tests/netns/topology.h"

namespace orb8::netns {

// Linux 6.6 and later.
bool has_tcx();

// The numbers of the programs on TCX, in the order in which they run. None where
// the kernel has no TCX.
std::vector<std::uint32_t> tcx_programs(const NetNs& ns, const std::string& interface,
                                        Direction direction);

// One line of tc(8) for each filter, in the order in which they run.
std::vector<std::string> filters(const NetNs& ns, const std::string& interface,
                                 Direction direction);

bool has_clsact(const NetNs& ns, const std::string& interface);

}  // namespace orb8::netns
