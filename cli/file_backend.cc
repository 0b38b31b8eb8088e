// SPDX-License-Identifier: Apache-2.0
#include "cli/file_backend.h"

#include <fmt/format.h>

#include <cstddef>
#include <limits>
#include <ostream>
#include <utility>

#include "cli/format.h"
#include "cli/saved_events.h"
#include "cli/saved_flows.h"
#include "core/export/wire_request.h"
#include "core/export/wire_value.h"

namespace orb8 {
namespace {

// Whatever the agent's were: the file is all there is, and its labels are what it has.
constexpr QueryRules kRules = {.max_limit = std::numeric_limits<std::uint32_t>::max(),
                               .labels_kept = true};
constexpr QueryRules kWithoutLabels = {.max_limit = 1, .labels_kept = false};

template <class Message>
bool has_labels(const Message& message) {
  return !message.src().labels().empty() || !message.dst().labels().empty();
}

}  // namespace

Result<std::unique_ptr<FileBackend>> FileBackend::open(const std::string& path) {
  auto lines = LineReader::open(path);
  if (!lines) return std::unexpected(lines.error());
  return std::unique_ptr<FileBackend>(
      new FileBackend(std::move(*lines), LineReader::name_of(path)));
}

void FileBackend::refuse(const std::string& why) {
  if (refused_++ == 0) first_refused_ = fmt::format("line {}: {}", lines_.number(), why);
}

template <class Visit>
Result<void> FileBackend::for_each(const std::stop_token& stop, Visit visit) {
  std::string line;
  lines_.set_before_read([this] { pause(); });
  for (;;) {
    const auto got = lines_.next(line, stop);
    if (!got) return std::unexpected(got.error());
    if (*got == LineReader::Got::kEnd || *got == LineReader::Got::kStopped) return {};
    if (*got == LineReader::Got::kTooLong) {
      refuse(fmt::format("is longer than {}", human_bytes(LineReader::kMostBytes)));
      continue;
    }
    if (line.empty()) continue;
    const auto kind = json_.parse(line);
    if (!kind) {
      refuse(kind.error().what);
    } else if (!visit(*kind)) {
      return {};
    }
  }
}

// False: it was refused.
template <class Message, class Value>
bool FileBackend::take(Message& message, Value& value) {
  const auto read = json_.fill(message);
  if (!read) {
    refuse(read.error().what);
    return false;
  }
  auto made = from_wire(message);
  if (!made) {
    refuse(made.error().what);
    return false;
  }
  value = std::move(*made);
  labels_seen_ = labels_seen_ || has_labels(message);
  add_facts(message, seen_);
  return true;
}

// A request that is wrong only where nobody has labels asks for them.
template <class Request>
void FileBackend::look_for_what_is_asked(const Request& request) {
  labels_asked_ = !from_wire(request, kWithoutLabels).has_value();
  asked_ = facts_asked(request);
}

Result<v1::AgentStatus> FileBackend::status(const Patience& /*at once*/) {
  return v1::AgentStatus();
}

Result<v1::QueryPodsResponse> FileBackend::pods(const v1::QueryPodsRequest& /*none*/,
                                                const Patience& /*at once*/) {
  return fail(Errc::kUnsupported, "a saved trace knows no pods; ask an agent");
}

Result<v1::QueryFlowsResponse> FileBackend::query(const v1::QueryFlowsRequest& request,
                                                  const Patience& patience) {
  const auto query = from_wire(request, kRules);
  if (!query) return std::unexpected(query.error());
  look_for_what_is_asked(request);
  wanted_ = "flows and events";
  SavedFlows flows;
  v1::NetworkFlow flow_message;
  v1::NetworkEvent event_message;
  Flow flow;
  Event event;
  const auto ok = for_each(patience.stop, [&](JsonReader::Kind kind) {
    if (kind == JsonReader::Kind::kOther) {
      ++others_;
    } else if (kind == JsonReader::Kind::kFlow) {
      if (take(flow_message, flow)) flows.add(flow_message, flow);
    } else if (take(event_message, event)) {
      flows.add(event_message, event);
    }
    return true;
  });
  if (!ok) return std::unexpected(ok.error());
  // A part of the answer is none.
  if (patience.stop.stop_requested()) {
    return fail(Errc::kUnavailable, "interrupted before the end of " + name_);
  }
  flows_left_out_ = flows.left_out();
  return flows.answer(*query);
}

Result<void> FileBackend::stream(const v1::StreamEventsRequest& request, const EventFn& on_event,
                                 const std::stop_token& stop) {
  const auto query = from_wire(request, kRules);
  if (!query) return std::unexpected(query.error());
  look_for_what_is_asked(request);
  const FlowMatcher matcher(query->selection);
  SavedEvents chosen(query->history.value_or(ReplayChoice{}), on_event);
  v1::NetworkEvent message;
  Event event;
  std::uint64_t lost = 0;  // before an event that is shown, since the one that was shown before it
  const auto ok = for_each(stop, [&](JsonReader::Kind kind) {
    if (kind != JsonReader::Kind::kEvent) {
      ++others_;
      return true;
    }
    if (!take(message, event)) return true;
    lost += message.dropped_before();
    if (request.packets() && event.kind != EventKind::kPacket) return true;
    if (!matcher.matches(event.flow)) return true;
    message.set_dropped_before(std::exchange(lost, 0));
    return chosen.take(message);
  });
  if (ok) chosen.finish();
  return ok;
}

bool FileBackend::tell(std::ostream& err) const {
  if (others_ > 0) {
    err << fmt::format("orb8: {} other than {} passed over in {}\n", count_of(others_, "object"),
                       wanted_, printable(name_));
  }
  if (flows_left_out_ > 0) {
    err << fmt::format("orb8: {} left out: there is room for no more\n",
                       count_of(flows_left_out_, "further flow"));
  }
  if (labels_asked_ && !labels_seen_) {
    err << fmt::format(
        "orb8: no line of {} has labels, so that none can match; an agent with the "
        "setting labels on writes them\n",
        printable(name_));
  }
  for (const auto& line : facts_lacking(asked_, seen_, printable(name_))) {
    err << "orb8: " << line << "\n";
  }
  if (refused_ == 0) return true;
  err << fmt::format("orb8: {} of {} could not be read; the first, {}\n",
                     count_of(refused_, "line"), printable(name_), printable(first_refused_));
  return false;
}

}  // namespace orb8
