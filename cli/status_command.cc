// orb8 status, and what it has in common with the other commands.
// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/render_status.h"
#include "cli/wait.h"

namespace orb8 {

int report(const Error& error, std::ostream& err) {
  err << "orb8: " << printable(error.what) << "\n";
  return error.code == Errc::kInvalid ? 2 : 1;
}

bool collect_first(const Backend& backend, std::chrono::milliseconds time, const Session& session) {
  if (!backend.starts_empty()) return true;
  session.err << "orb8: watching for " << short_duration(time) << "\n";
  return wait_for(time, session.stop);
}

int run_status(Backend& backend, const CliOptions& options, const Session& session) {
  if (!collect_first(backend, options.duration.value_or(kCollectFirst), session)) {
    return report({.what = "interrupted before there was an answer"}, session.err);
  }
  const auto status = backend.status({.stop = session.stop});
  if (!status) return report(status.error(), session.err);
  render_status(*status, session.style, session.out);
  return 0;
}

}  // namespace orb8
