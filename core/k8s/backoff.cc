// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/backoff.h"

#include <algorithm>

namespace orb8::k8s {

std::chrono::milliseconds Backoff::next() {
  auto delay = limits_.first;
  for (unsigned i = 0; i < tries_ && delay < limits_.most; ++i) delay *= 2;
  ++tries_;
  delay = std::min(delay, limits_.most);
  const auto most = delay.count();
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::int64_t>(most / 2, most)(random_));
}

}  // namespace orb8::k8s
