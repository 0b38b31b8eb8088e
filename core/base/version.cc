// SPDX-License-Identifier: Apache-2.0
#include "core/base/version.h"

namespace orb8 {

std::string_view version() {
  return ORB8_VERSION;
}

}  // namespace orb8
