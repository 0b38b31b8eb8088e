// orb8 flows: once, or again and again.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "cli/accounting_text.h"
#include "cli/commands.h"
#include "cli/flows_question.h"
#include "cli/format.h"
#include "cli/time_point.h"
#include "cli/wait.h"
#include "core/base/clock.h"

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

// To the upper left corner; then clear what an earlier, longer table left below (ECMA-48 CUP, ED).
constexpr const char* kHome = "\x1b[H\x1b[J";
constexpr std::size_t kRowsOfOthers = 5;  // title, header, a footer that may wrap, the cursor's

// As many rows as the terminal has, and no more than asked for; 0 asks for all.
std::uint32_t rows_for(std::uint32_t limit, std::size_t terminal_rows) {
  if (terminal_rows <= kRowsOfOthers) return limit;
  const auto room = static_cast<std::uint32_t>(terminal_rows - kRowsOfOthers);
  return limit == 0 ? room : std::min(limit, room);
}

// The table again and again, until stopped.
class Watch {
 public:
  Watch(Backend& backend, const CliOptions& options, const Session& session)
      : options_(options),
        session_(session),
        every_(options.window.value_or(options.watch.value_or(kCollectFirst))),
        question_(backend, options, session) {}

  int run() {
    const auto started = Clock::now();
    do {
      const auto answer = look();
      if (session_.stop.stop_requested()) break;
      if (!answer) return report(answer.error(), session_.err);
      show(*answer);
    } while (session_.out && (options_.window || wait_for(every_, session_.stop)));
    if (!session_.out || session_.reader_gone()) return 0;
    const std::chrono::duration<double> took = Clock::now() - started;
    session_.err << fmt::format("orb8: {} in {:.1f} s{}\n", count_of(answers_, "answer"),
                                took.count(), seen_);
    return 0;
  }

 private:
  bool redraws() const { return session_.screen.terminal && session_.style.is_table(); }

  Result<FlowsQuestion::Answer> look() {
    return question_.ask(redraws() ? rows_for(options_.limit, session_.screen.size().rows)
                                   : options_.limit);
  }

  void show(const FlowsQuestion::Answer& answer) {
    auto style = session_.style;
    style.terminal_width = session_.screen.size().columns;
    if (style.is_table()) {
      session_.out << (redraws()      ? kHome
                       : answers_ > 0 ? "\n"
                                      : "")
                   << style.painted(title(), Paint::kFaint) << '\n';
    }
    question_.render(answer, style);
    session_.out.flush();
    ++answers_;
    const auto& flows = answer.flows;
    if (flows.has_accounting()) seen_ = "; " + accounting_text(flows.accounting());
  }

  // To the second, unless a format was asked for.
  std::string now_text() const {
    const auto text = session_.style.time(wall_now_ns());
    return options_.time_format == TimeFormat::kClock ? text.substr(0, text.find('.')) : text;
  }

  std::string title() const {
    return fmt::format("{} every {}; Ctrl-C ends", now_text(), short_duration(every_));
  }

  const CliOptions& options_;
  const Session& session_;
  std::chrono::milliseconds every_;
  FlowsQuestion question_;
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
  FlowsQuestion question(backend, options, session);
  question.say_what_is_lacking();
  if (options.watch) return Watch(backend, options, session).run();
  const auto answer = question.ask(options.limit);
  if (!answer) return session.reader_gone() ? 0 : report(answer.error(), session.err);
  question.render(*answer, session.style);
  // A table has it in its last line. Programs count for themselves.
  if (session.style.is_table()) return 0;
  if (!session.style.is_json()) {
    session.err << "orb8: " << question.footer(*answer) << "\n";
  } else if (answer->flows.has_accounting()) {
    session.err << "orb8: " << accounting_text(answer->flows.accounting()) << "\n";
  }
  return 0;
}

}  // namespace orb8
