// Where readers of any thread ask the pipeline's thread for the flows as they are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/flow/flow_table.h"
#include "core/pipeline/desk.h"

namespace orb8 {

using FlowDesk = Desk<FlowSnapshot>;

}  // namespace orb8
