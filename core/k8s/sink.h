// Where the objects of Kubernetes go: the one interface that a store is fed through, whether by the
// watches of this agent or by a relay's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/k8s/objects.h"

namespace orb8::k8s {

// In the order of Object's alternatives.
enum class Kind : std::uint8_t { kPod, kService, kNode, kEndpointSlice };

// "pods", "services", "nodes", "endpointslices".
std::string_view resource_of(Kind kind);

// Called by one thread.
class Sink {
 public:
  virtual ~Sink() = default;

  // New, or changed; the same uid replaces what was there.
  virtual void set(Object object) = 0;
  virtual void gone(Kind kind, std::string_view uid) = 0;

  // A list is in, whole: its objects were all set() before. Whatever else is held of that kind
  // vanished while nobody watched.
  virtual void listed(Kind kind, const std::unordered_set<std::string>& uids) = 0;
};

}  // namespace orb8::k8s
