// One place that flow records or metrics go to, at work on a thread of its own: a slow or dead one
// loses what is its own, counted, and harms nobody else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "core/model/status.h"

namespace orb8 {

class Exporter {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Exporter() = default;  // drops at once what is not handed over

  virtual ExporterStatus status() const = 0;  // any thread

  // To hand over what there is, and end. Returns at once.
  virtual void begin_stop() = 0;
  // Begins to stop, and returns when all is handed over, or at the deadline: what is left is
  // dropped then, and counted.
  virtual void stop_by(Clock::time_point deadline) = 0;
};

}  // namespace orb8
