// orb8 trace network: events as they come, then who moved most.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <ostream>
#include <thread>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/top_talkers.h"

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTop = 10;

v1::StreamEventsRequest to_request(const CliOptions& options) {
  v1::StreamEventsRequest request;
  request.mutable_namespaces()->Add(options.namespaces.begin(), options.namespaces.end());
  request.mutable_pod_names()->Add(options.pods.begin(), options.pods.end());
  *request.mutable_filter() = options.filter;
  request.set_packets(options.packets);
  return request;
}

// A source of stop requests that follows another one and a timer.
class Deadline {
 public:
  Deadline(const std::stop_token& outer, std::optional<std::chrono::milliseconds> time)
      : forward_(outer, [this] { source_.request_stop(); }) {
    if (!time) return;
    timer_ = std::jthread([this, time](const std::stop_token& unneeded) {
      if (wait_for(*time, unneeded)) source_.request_stop();
    });
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread timer_;
};

// What was counted between two looks at the same agent.
v1::Tally difference(const v1::Tally& end, const v1::Tally& begin) {
  v1::Tally moved;
  if (end.packets() >= begin.packets()) moved.set_packets(end.packets() - begin.packets());
  if (end.bytes() >= begin.bytes()) moved.set_bytes(end.bytes() - begin.bytes());
  return moved;
}

v1::Accounting difference(const v1::Accounting& end, const v1::Accounting& begin) {
  v1::Accounting moved;
  *moved.mutable_counted() = difference(end.counted(), begin.counted());
  *moved.mutable_spilled() = difference(end.spilled(), begin.spilled());
  *moved.mutable_lost() = difference(end.lost(), begin.lost());
  *moved.mutable_duplicate() = difference(end.duplicate(), begin.duplicate());
  *moved.mutable_own() = difference(end.own(), begin.own());
  *moved.mutable_not_ip() = difference(end.not_ip(), begin.not_ip());
  *moved.mutable_truncated() = difference(end.truncated(), begin.truncated());
  *moved.mutable_unparsed() = difference(end.unparsed(), begin.unparsed());
  moved.set_packet_events_lost(end.packet_events_lost() - begin.packet_events_lost());
  return moved;
}

struct Counts {
  std::uint64_t events = 0;
  std::uint64_t dropped = 0;  // by this reader
};

std::string summary(const Counts& counts, double seconds, const Result<v1::AgentStatus>& begin,
                    const Result<v1::AgentStatus>& end) {
  auto lost = counts.dropped;
  std::string seen;
  if (begin && end) {
    const auto moved = difference(end->accounting(), begin->accounting());
    lost += moved.packet_events_lost();
    seen = "; " + accounting_text(moved);
  }
  return fmt::format(
      "orb8: {} events in {:.1f} s ({:.0f}/s), {} lost{}\n", human_count(counts.events), seconds,
      static_cast<double>(counts.events) / std::max(seconds, 0.001), human_count(lost), seen);
}

}  // namespace

int run_trace(Backend& backend, const CliOptions& options, const Session& session) {
  const auto begin = backend.status();
  const auto started = Clock::now();
  const Deadline deadline(session.stop, options.duration);
  EventRenderer renderer(session.style, options.packets);
  TopTalkers top;
  Counts counts;
  const auto ok = backend.stream(
      to_request(options),
      [&](const v1::NetworkEvent& event) {
        ++counts.events;
        counts.dropped += event.dropped_before();
        top.add(event);
        renderer.render(event, session.out);
        session.out.flush();
        return static_cast<bool>(session.out);  // false: nobody reads any more
      },
      deadline.token());
  const std::chrono::duration<double> took = Clock::now() - started;
  if (!session.out) return 0;  // a closed pipe ends quietly
  if (session.style.output != OutputFormat::kJson) top.render(kTop, session.style, session.out);
  session.out.flush();
  const auto end = ok ? backend.status() : Result<v1::AgentStatus>(std::unexpected(ok.error()));
  session.err << summary(counts, took.count(), begin, end);
  return ok ? 0 : report(ok.error(), session.err);
}

}  // namespace orb8
