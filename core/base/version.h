// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace orb8 {

// "0.1.0", the CMake project's.
std::string_view version();

}  // namespace orb8
