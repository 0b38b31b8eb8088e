// From the configuration to a flow source, and why that one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/source/flow_source.h"

namespace orb8 {

Result<std::unique_ptr<FlowSource>> open_source(const Config& config);

}  // namespace orb8
