// orb8 flows: once, or again and again.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "cli/accounting_text.h"
#include "cli/commands.h"
#include "cli/filter_request.h"
#include "cli/format.h"
#include "cli/render_flows.h"
#include "cli/wait.h"

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

// To the upper left corner; then clear what an earlier, longer table left below (ECMA-48 CUP, ED).
constexpr const char* kHome = "\x1b[H\x1b[J";
constexpr std::size_t kRowsOfOthers = 5;  // title, header, a footer that may wrap, the cursor's

v1::QueryFlowsRequest to_request(const CliOptions& options) {
  v1::QueryFlowsRequest request;
  put_filters(options.filters, request);
  request.set_sort(options.sort);
  request.set_limit(options.limit);
  request.set_collapse_client_ports(options.collapse_ports);
  return request;
}

// As many rows as the terminal has, and no more than asked for; 0 asks for all.
std::uint32_t rows_for(std::uint32_t limit, std::size_t terminal_rows) {
  if (terminal_rows <= kRowsOfOthers) return limit;
  const auto room = static_cast<std::uint32_t>(terminal_rows - kRowsOfOthers);
  return limit == 0 ? room : std::min(limit, room);
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The table again and again, until stopped.
class Watch {
 public:
  Watch(Backend& backend, const CliOptions& options, const Session& session)
      : backend_(backend),
        options_(options),
        session_(session),
        every_(options.watch.value_or(kCollectFirst)),
        request_(to_request(options)) {}

  int run() {
    const auto started = Clock::now();
    do {
      const auto answer = look();
      if (session_.stop.stop_requested()) break;
      if (!answer) return report(answer.error(), session_.err);
      show(*answer);
    } while (session_.out && wait_for(every_, session_.stop));
    if (!session_.out || session_.reader_gone()) return 0;
    const std::chrono::duration<double> took = Clock::now() - started;
    session_.err << fmt::format("orb8: {} in {:.1f} s{}\n", count_of(answers_, "answer"),
                                took.count(), seen_);
    return 0;
  }

 private:
  bool redraws() const {
    return session_.screen.terminal && options_.output != OutputFormat::kJson;
  }

  Result<v1::QueryFlowsResponse> look() {
    if (redraws()) request_.set_limit(rows_for(options_.limit, session_.screen.size().rows));
    return backend_.query(request_, {.stop = session_.stop});
  }

  void show(const v1::QueryFlowsResponse& answer) {
    auto style = session_.style;
    style.terminal_width = session_.screen.size().columns;
    if (options_.output != OutputFormat::kJson) {
      session_.out << (redraws()      ? kHome
                       : answers_ > 0 ? "\n"
                                      : "")
                   << style.painted(title(), Paint::kFaint) << '\n';
    }
    render_flows(answer, style, session_.out);
    session_.out.flush();
    ++answers_;
    if (answer.has_accounting()) seen_ = "; " + accounting_text(answer.accounting());
  }

  std::string title() const {
    return fmt::format("{} every {}; Ctrl-C ends", clock_time(now_ns()).substr(0, 8),
                       short_duration(every_));
  }

  Backend& backend_;
  const CliOptions& options_;
  const Session& session_;
  std::chrono::milliseconds every_;
  v1::QueryFlowsRequest request_;
  std::uint64_t answers_ = 0;
  std::string seen_;
};

}  // namespace

int run_flows(Backend& backend, const CliOptions& options, const Session& session) {
  const auto first = std::min(options.watch.value_or(kCollectFirst), kCollectFirst);
  if (!collect_first(backend, options.duration.value_or(first), session)) {
    return session.reader_gone()
               ? 0
               : report({.what = "interrupted before there was an answer"}, session.err);
  }
  if (options.watch) return Watch(backend, options, session).run();
  const auto answer = backend.query(to_request(options), {.stop = session.stop});
  if (!answer) return report(answer.error(), session.err);
  render_flows(*answer, session.style, session.out);
  // A table has it in its last line.
  if (options.output == OutputFormat::kJson && answer->has_accounting()) {
    session.err << "orb8: " << accounting_text(answer->accounting()) << "\n";
  }
  return 0;
}

}  // namespace orb8
