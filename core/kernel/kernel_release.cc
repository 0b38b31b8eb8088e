// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/kernel_release.h"

#include <sys/utsname.h>

#include <cstdio>

namespace orb8 {

std::string running_release() {
  utsname name = {};
  ::uname(&name);
  return name.release;
}

KernelVersion parse_release(const std::string& release) {
  KernelVersion version;
  if (std::sscanf(release.c_str(), "%d.%d", &version.major, &version.minor) != 2) return {};
  return version;
}

}  // namespace orb8
