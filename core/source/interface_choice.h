// Which interfaces to watch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/kernel/network_state.h"

namespace orb8 {

// With patterns (fnmatch(3) globs, as "eth*"): every interface that matches one. Without: those
// with a default route, then cni0, docker0, cbr0, br-*, then the host's ends of pods' veths, then
// lo. In that order, without repeats.
std::vector<Interface> choose_interfaces(const std::map<std::uint32_t, Interface>& interfaces,
                                         const std::vector<std::string>& patterns);

}  // namespace orb8
