// Bounds on what the API server may send.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace orb8::k8s {

// etcd takes no object above 1.5 MiB as it stores them; as JSON that is a few times as much.
inline constexpr std::size_t kMaxObjectBytes = 16U << 20U;

// Of an answer that is an error.
inline constexpr std::size_t kMaxErrorBytes = 64U << 10U;

}  // namespace orb8::k8s
