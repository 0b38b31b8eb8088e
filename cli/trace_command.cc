// orb8 trace network: events as they come, then who moved most.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "cli/accounting_text.h"
#include "cli/asked_facts.h"
#include "cli/commands.h"
#include "cli/event_renderer.h"
#include "cli/filter_request.h"
#include "cli/flows_question.h"
#include "cli/format.h"
#include "cli/line_reader.h"
#include "cli/render_talkers.h"
#include "cli/seen_flows.h"
#include "cli/time_point.h"
#include "cli/wait.h"
#include "core/base/clock.h"

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTop = 10;
constexpr std::size_t kMostFlows = 100'000;  // that talkers are sought among
// The summary's last look at the agent: a Ctrl-C ends at once, also where nobody answers any more.
constexpr std::chrono::milliseconds kLastLook{1000};

bool names_direction(const v1::FlowFilter& filter) {
  const auto names = [](const v1::FlowFilter& one) { return !one.directions().empty(); };
  return names(filter) || std::ranges::any_of(filter.none_of(), names);
}

v1::StreamEventsRequest to_request(const CliOptions& options) {
  v1::StreamEventsRequest request;
  auto filters = options.filters;
  // A failed connection is two flows: the one towards the peer tells of all.
  for (auto& filter : filters) {
    if (options.failed && !names_direction(filter)) filter.add_directions("egress");
  }
  put_filters(filters, request);
  request.set_packets(options.packets);
  const auto& selectors = options.selectors;
  const auto now_ns = wall_now_ns();
  if (selectors.since) request.set_since_ns(selectors.since->at(now_ns));
  if (selectors.until) request.set_until_ns(selectors.until->at(now_ns));
  request.set_last(selectors.last);
  request.set_first(selectors.first);
  request.set_all(selectors.all);
  request.set_end_after_history(selectors.any() && !selectors.follow);
  return request;
}

// Of a failed connection its end is shown, since that is when it is known to have failed.
bool is_shown(const v1::NetworkEvent& event, const CliOptions& options) {
  return !options.failed || event.type() == v1::EVENT_TYPE_FLOW_END;
}

struct Counts {
  std::uint64_t events = 0;
  std::uint64_t lost = 0;  // on the way to this reader
};

// Packet events that the kernel lost, before any filter of a stream: this trace's, if it is one of
// packets, or somebody else's.
std::uint64_t lost_in_kernel(const CliOptions& options, const std::optional<v1::Accounting>& seen) {
  return options.packets && seen ? seen->packet_events_lost() : 0;
}

// Why an agent that was asked for packets has none to show; empty: it has.
std::string refusal(const v1::AgentStatus& status) {
  for (const auto& component : status.components()) {
    if (component.name() == "packet-events" && !component.healthy()) return component.reason();
  }
  return "";
}

// `seen`: the agent's counters, of the time of the trace; absent when it could not be asked.
std::string summary(const Counts& counts, double seconds,
                    const std::optional<v1::Accounting>& seen) {
  return fmt::format("orb8: {} in {:.1f} s ({:.1f}/s), {} lost; {}\n",
                     count_of(counts.events, "event"), seconds,
                     static_cast<double>(counts.events) / std::max(seconds, 0.001),
                     human_count(counts.lost), seen ? accounting_text(*seen) : "packets not known");
}

// An agent that does not know the selectors would begin with what happens, and not end.
Result<void> check_history(const v1::AgentStatus& agent, const v1::StreamEventsRequest& request,
                           const Session& session) {
  if (agent.history_from_ns() == 0) {
    return fail(
        Errc::kUnsupported,
        "the agent is too old for flows that have ended: it knows what happens from now on");
  }
  const auto forgotten = forgotten_text(request.since_ns(), agent.history_from_ns());
  if (!forgotten.empty()) session.err << "orb8: " << forgotten << "\n";
  return {};
}

// One trace: shows events as they come, and says in the end what they were.
class Trace {
 public:
  Trace(Backend& backend, const CliOptions& options, const Session& session)
      : backend_(backend),
        options_(options),
        session_(session),
        ends_(options.selectors.any() && !options.selectors.follow),
        renderer_(session.style),
        seen_(kMostFlows, session.style.numeric ? Sides::kAddresses : Sides::kNames) {}

  int run() {
    if (ends_ && !collect_first(backend_, options_.duration.value_or(kCollectFirst), session_)) {
      return session_.reader_gone()
                 ? 0
                 : report({.what = "interrupted before there was an answer"}, session_.err);
    }
    const auto begin = backend_.status({.stop = session_.stop});
    if (!begin) return report(begin.error(), session_.err);
    const auto request = to_request(options_);
    if (options_.selectors.any() && !options_.input_file) {
      const auto ok = check_history(*begin, request, session_);
      if (!ok) return report(ok.error(), session_.err);
    }
    say_what_is_lacking(request, *begin);
    begin_output();
    const auto ok = follow(request);
    if (!session_.out || session_.reader_gone()) return 0;
    finish(*begin, ok.has_value());
    return ok ? 0 : report(ok.error(), session_.err);
  }

 private:
  // Before anything happens, so that a person sees that it runs; packets have no columns.
  void begin_output() {
    if (options_.input_file) {
      session_.err << "orb8: replaying " << printable(LineReader::name_of(*options_.input_file))
                   << "\n";
    } else if (!ends_) {
      session_.err << (options_.duration ? "orb8: tracing for " + short_duration(*options_.duration)
                                         : "orb8: tracing; Ctrl-C ends")
                   << "\n";
    }
    if (!options_.packets) renderer_.header(session_.out);
    session_.out.flush();
  }

  void say_what_is_lacking(const v1::StreamEventsRequest& request, const v1::AgentStatus& agent) {
    const auto lacking = facts_lacking(facts_asked(request), agent.flow_source(), options_.packets);
    for (const auto& line : lacking) session_.err << "orb8: " << line << "\n";
  }

  Result<void> follow(const v1::StreamEventsRequest& request) {
    backend_.set_on_pause([this] { session_.out.flush(); });
    const StopAfter stop(session_.stop, ends_ ? std::nullopt : options_.duration);
    const auto ok = backend_.stream(
        request, [this](const v1::NetworkEvent& event) { return show(event); }, stop.token());
    backend_.set_on_pause({});
    return ok;
  }

  // False: nobody reads any more.
  bool show(const v1::NetworkEvent& event) {
    counts_.lost += event.dropped_before();
    if (!is_shown(event, options_)) return static_cast<bool>(session_.out);
    ++counts_.events;
    const auto seconds = session_.style.has_rates() ? seen_.add(event) : 0;
    if (session_.screen.terminal) {
      renderer_.set_terminal_width(session_.screen.size().columns);
    }
    renderer_.render(event, seconds, session_.out);
    return static_cast<bool>(session_.out);
  }

  void finish(const v1::AgentStatus& begin, bool well) {
    const std::chrono::duration<double> took = Clock::now() - started_;
    auto style = session_.style;
    style.terminal_width = session_.screen.size().columns;
    const bool talkers = session_.style.is_table() && !options_.failed;
    if (talkers) render_talkers(seen_, kTop, style, session_.out);
    session_.out.flush();
    if (ends_ || options_.input_file) {
      session_.err << fmt::format("orb8: {}, {} lost\n", count_of(counts_.events, "event"),
                                  human_count(counts_.lost));
      return;
    }
    std::optional<v1::Accounting> moved;
    const auto end = well ? backend_.status({.time = kLastLook, .stop = {}}) : begin;
    if (well && end) {
      if (end->has_accounting()) moved = difference(end->accounting(), begin.accounting());
      if (const auto why = options_.packets ? refusal(*end) : ""; !why.empty()) {
        session_.err << "orb8: packets cannot be shown: " << printable(why) << "\n";
      }
    }
    counts_.lost += lost_in_kernel(options_, moved);
    session_.err << summary(counts_, took.count(), moved);
  }

  Backend& backend_;
  const CliOptions& options_;
  const Session& session_;
  bool ends_;  // with what has been
  EventRenderer renderer_;
  SeenFlows seen_;
  Counts counts_;
  Clock::time_point started_ = Clock::now();
};

}  // namespace

int run_trace(Backend& backend, const CliOptions& options, const Session& session) {
  return Trace(backend, options, session).run();
}

}  // namespace orb8
