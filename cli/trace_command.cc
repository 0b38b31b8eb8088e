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
#include "cli/format.h"
#include "cli/line_reader.h"
#include "cli/render_talkers.h"
#include "cli/seen_flows.h"
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

// Before anything happens, so that a person sees that it runs.
std::string beginning(const CliOptions& options) {
  if (options.input_file) return "replaying " + printable(LineReader::name_of(*options.input_file));
  if (options.duration) return "tracing for " + short_duration(*options.duration);
  return "tracing; Ctrl-C ends";
}

// A saved trace has its own time, and nobody who could be asked what became of the packets.
std::string summary_of_replay(const Counts& counts) {
  return fmt::format("orb8: {}, {} lost\n", count_of(counts.events, "event"),
                     human_count(counts.lost));
}

}  // namespace

int run_trace(Backend& backend, const CliOptions& options, const Session& session) {
  const auto begin = backend.status({.stop = session.stop});
  if (!begin) return report(begin.error(), session.err);
  const auto started = Clock::now();
  const StopAfter stop(session.stop, options.duration);
  EventRenderer renderer(session.style);
  session.err << "orb8: " << beginning(options) << "\n";
  if (!options.packets) renderer.header(session.out);  // packets have no columns
  session.out.flush();
  SeenFlows seen;
  Counts counts;
  const auto ok = backend.stream(
      to_request(options),
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
  if (options.input_file) {
    session.err << summary_of_replay(counts);
    return ok ? 0 : report(ok.error(), session.err);
  }
  std::optional<v1::Accounting> moved;
  if (const auto end = ok ? backend.status({.time = kLastLook, .stop = {}}) : begin; ok && end) {
    if (end->has_accounting()) moved = difference(end->accounting(), begin->accounting());
    if (const auto why = options.packets ? refusal(*end) : ""; !why.empty()) {
      session.err << "orb8: packets cannot be shown: " << printable(why) << "\n";
    }
  }
  counts.lost += lost_in_kernel(options, moved);
  session.err << summary(counts, took.count(), moved);
  return ok ? 0 : report(ok.error(), session.err);
}

}  // namespace orb8
