// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <condition_variable>
#include <mutex>
#include <ostream>

namespace orb8 {
namespace {

constexpr auto kCollectFirst = std::chrono::seconds(3);
constexpr auto kStatusAfter = std::chrono::milliseconds(1500);  // past the first snapshot

// Clears the screen below the top left corner (ECMA-48 CUP and ED).
constexpr const char* kRedraw = "\x1b[H\x1b[J";

}  // namespace

bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

int report(const Error& error, std::ostream& err) {
  err << "orb8: " << error.what << "\n";
  return error.code == Errc::kInvalid ? 2 : 1;
}

int run_status(Backend& backend, const CliOptions& /*options*/, const Session& session) {
  if (backend.starts_empty() && !wait_for(kStatusAfter, session.stop)) return 0;
  const auto status = backend.status();
  if (!status) return report(status.error(), session.err);
  render_status(*status, session.style, session.out);
  session.out.flush();
  return 0;
}

int run_flows(Backend& backend, const CliOptions& options, const Session& session) {
  v1::QueryFlowsRequest request;
  request.mutable_namespaces()->Add(options.namespaces.begin(), options.namespaces.end());
  request.mutable_pod_names()->Add(options.pods.begin(), options.pods.end());
  *request.mutable_filter() = options.filter;
  request.set_sort(options.sort);
  request.set_limit(options.limit);

  if (backend.starts_empty() && !wait_for(options.duration.value_or(kCollectFirst), session.stop)) {
    return 0;
  }
  for (;;) {
    const auto answer = backend.query(request);
    if (!answer) return report(answer.error(), session.err);
    if (options.watch && session.terminal) session.out << kRedraw;
    render_flows(*answer, session.style, session.out);
    session.out.flush();
    // Beside every answer: what of the traffic is not in it.
    if (answer->accounting().lost().packets() > 0) {
      session.err << "orb8: " << accounting_text(answer->accounting()) << "\n";
    }
    if (!session.out || !options.watch || !wait_for(*options.watch, session.stop)) return 0;
  }
}

}  // namespace orb8
