// What each command does with its backend. All return the exit status.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <stop_token>

#include "cli/backend.h"
#include "cli/options.h"
#include "cli/render_style.h"
#include "cli/screen.h"

namespace orb8 {

// Where a command's words go, and what ends it.
struct Session {
  std::ostream& out;
  std::ostream& err;
  RenderStyle style;
  Screen screen;
  std::stop_token stop;               // SIGINT, SIGTERM, or nobody reads any more
  std::function<bool()> reader_gone;  // the latter
};

int run_status(Backend& backend, const CliOptions& options, const Session& session);
int run_flows(Backend& backend, const CliOptions& options, const Session& session);
int run_pods(Backend& backend, const CliOptions& options, const Session& session);
int run_trace(Backend& backend, const CliOptions& options, const Session& session);

// Prints "orb8: <what>" and returns 1, or 2 for an answer that the command line is to blame for.
int report(const Error& error, std::ostream& err);

// Where counting has only begun, waits until there is something to tell, and says so. False: told
// to stop before.
bool collect_first(const Backend& backend, std::chrono::milliseconds time, const Session& session);

// What --duration is when it is not given.
inline constexpr std::chrono::milliseconds kCollectFirst{3000};

}  // namespace orb8
