// SPDX-License-Identifier: Apache-2.0
#include "core/model/status.h"

#include <algorithm>

namespace orb8 {

bool Status::healthy() const {
  return std::ranges::all_of(components, &Component::healthy);
}

}  // namespace orb8
