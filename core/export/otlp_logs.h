// A flow record as a log record of OTLP; docs/EXPORT.md lists its attributes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/export/interface_names.h"
#include "core/model/event.h"
#include "opentelemetry/proto/logs/v1/logs.pb.h"

namespace orb8 {

// `now_ns`: Unix epoch, when it is told. The record's own time is when the flow last moved.
void to_otlp(const Event& record, InterfaceNames& names, std::int64_t now_ns,
             opentelemetry::proto::logs::v1::LogRecord& out);

}  // namespace orb8
