// Where the API server keeps each kind, and what a role must allow to read it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "core/k8s/sink.h"

namespace orb8::k8s {

inline constexpr std::array kKinds = {Kind::kPod, Kind::kService, Kind::kNode,
                                      Kind::kEndpointSlice};

constexpr std::size_t index_of(Kind kind) {
  return static_cast<std::size_t>(kind);
}

// "" for pods, "discovery.k8s.io" for endpoint slices.
std::string_view api_group_of(Kind kind);

// "/api/v1/pods"; where there is more than one, the newest API version first.
std::span<const std::string_view> paths_of(Kind kind);

}  // namespace orb8::k8s
