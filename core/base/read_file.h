// A whole file as text.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "core/base/result.h"

namespace orb8 {

// Errors begin with `doing`, which names the file: "read the token /run/token". kInvalid: the
// file is larger than `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes,
                              const std::string& doing);

}  // namespace orb8
