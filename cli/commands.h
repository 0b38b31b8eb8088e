// What each command does with its backend. All return the exit status.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <stop_token>

#include "cli/backend.h"
#include "cli/options.h"
#include "cli/render.h"

namespace orb8 {

// Where a command's words go, and what ends it.
struct Session {
  std::ostream& out;
  std::ostream& err;
  RenderStyle style;
  bool terminal = false;  // out is one: `flows --watch` redraws in place
  std::stop_token stop;   // SIGINT, SIGTERM
};

int run_status(Backend& backend, const CliOptions& options, const Session& session);
int run_flows(Backend& backend, const CliOptions& options, const Session& session);
int run_trace(Backend& backend, const CliOptions& options, const Session& session);

// Waits, but not longer than until `stop` is requested. False: it was.
bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop);

// Prints "orb8: <what>" and returns 1, or 2 for an answer that the command line is to blame for.
int report(const Error& error, std::ostream& err);

}  // namespace orb8
