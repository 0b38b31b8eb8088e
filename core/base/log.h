// The program's log: one line per event, to stderr.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace orb8 {

enum class LogLevel : unsigned char { kError, kWarn, kInfo, kDebug };

// "2026-01-31 12:00:00.000 info  Attached ingress probe to eth0", local time. Call once, first.
void init_log(LogLevel level);

}  // namespace orb8
