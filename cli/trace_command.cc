// orb8 trace network: events as they come, then who moved most.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "cli/accounting_text.h"
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

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTop = 10;
// The summary's last look at the agent: a Ctrl-C ends at once, also where nobody answers any more.
constexpr std::chrono::milliseconds kLastLook{1000};

v1::StreamEventsRequest to_request(const CliOptions& options) {
  v1::StreamEventsRequest request;
  auto filters = options.filters;
  // A failed connection is two flows: the one towards the peer tells of all.
  for (auto& filter : filters) {
    if (options.failed && filter.directions().empty()) filter.add_directions("egress");
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

// Before anything happens, so that a person sees that it runs.
std::string opening(const CliOptions& options) {
  if (options.input_file) {
    return "orb8: replaying " + printable(LineReader::name_of(*options.input_file)) + "\n";
  }
  if (options.selectors.any() && !options.selectors.follow) return "";
  return options.duration ? "orb8: tracing for " + short_duration(*options.duration) + "\n"
                          : "orb8: tracing; Ctrl-C ends\n";
}

struct Traced {
  Counts counts;
  double seconds = 0;
  const v1::AgentStatus& begin;
  bool answers = true;  // the agent is still there to be asked
};

void tell_summary(Backend& backend, const CliOptions& options, const Session& session,
                  Traced traced) {
  std::optional<v1::Accounting> moved;
  if (traced.answers) {
    const auto end = backend.status({.time = kLastLook, .stop = {}});
    if (end && end->has_accounting()) {
      moved = difference(end->accounting(), traced.begin.accounting());
    }
    if (const auto why = options.packets && end ? refusal(*end) : ""; !why.empty()) {
      session.err << "orb8: packets cannot be shown: " << printable(why) << "\n";
    }
  }
  traced.counts.lost += lost_in_kernel(options, moved);
  session.err << summary(traced.counts, traced.seconds, moved);
}

}  // namespace

int run_trace(Backend& backend, const CliOptions& options, const Session& session) {
  const bool ends = options.selectors.any() && !options.selectors.follow;
  if (ends && !collect_first(backend, options.duration.value_or(kCollectFirst), session)) {
    return session.reader_gone()
               ? 0
               : report({.what = "interrupted before there was an answer"}, session.err);
  }
  const auto begin = backend.status({.stop = session.stop});
  if (!begin) return report(begin.error(), session.err);
  const auto request = to_request(options);
  if (options.selectors.any() && !options.input_file) {
    if (auto ok = check_history(*begin, request, session); !ok) {
      return report(ok.error(), session.err);
    }
  }
  const auto started = Clock::now();
  const StopAfter stop(session.stop, ends ? std::nullopt : options.duration);
  EventRenderer renderer(session.style);
  session.err << opening(options);
  // Packets have no columns.
  if (!options.packets) renderer.header(session.out);
  session.out.flush();
  SeenFlows seen;
  Counts counts;
  const auto ok = backend.stream(
      request,
      [&](const v1::NetworkEvent& event) {
        counts.lost += event.dropped_before();
        if (!is_shown(event, options)) return static_cast<bool>(session.out);
        ++counts.events;
        const auto seconds = seen.add(event);
        renderer.set_terminal_width(session.screen.size().columns);
        renderer.render(event, seconds, session.out);
        session.out.flush();
        return static_cast<bool>(session.out);  // false: nobody reads any more
      },
      stop.token());
  const std::chrono::duration<double> took = Clock::now() - started;
  if (!session.out || session.reader_gone()) return 0;

  auto style = session.style;
  style.terminal_width = session.screen.size().columns;
  const bool talkers = options.output != OutputFormat::kJson && !options.failed;
  if (talkers) render_talkers(seen, kTop, style, session.out);
  session.out.flush();
  if (ends || options.input_file) {
    session.err << fmt::format("orb8: {}, {} lost\n", count_of(counts.events, "event"),
                               human_count(counts.lost));
    return ok ? 0 : report(ok.error(), session.err);
  }
  tell_summary(backend, options, session, {counts, took.count(), *begin, ok.has_value()});
  return ok ? 0 : report(ok.error(), session.err);
}

}  // namespace orb8
