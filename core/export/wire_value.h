// The wire contract back to values, for those who filter what an agent has told: the way back from
// core/export/wire.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/model/event.h"
#include "core/model/flow.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// A filter decides of the value as it did of the one that the message was made of. What no filter
// asks for is as far as the wire tells it: a connection that is over and did not fail was
// established before, and whoever has no endpoint but a pod's name is that pod. kInvalid names the
// field, the value and what is allowed.
Result<Flow> from_wire(const v1::NetworkFlow& wire);
Result<Event> from_wire(const v1::NetworkEvent& wire);

}  // namespace orb8
