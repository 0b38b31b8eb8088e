// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/watch_reader.h"

#include <utility>

#include "core/k8s/limits.h"

namespace orb8::k8s {

WatchReader::WatchReader(Kind kind, Sink& sink, ClientStatus& status)
    : kind_(kind), sink_(sink), status_(status), parser_(kind), splitter_(kMaxObjectBytes) {}

void WatchReader::begin(std::string version) {
  splitter_ = LineSplitter(kMaxObjectBytes);
  version_ = std::move(version);
  stop_ = Stop::kNone;
  events_ = 0;
}

bool WatchReader::feed(std::string_view part) {
  const auto before = splitter_.too_long();
  const bool more = splitter_.feed(part, [this](std::string& line) { return take(line); });
  status_.count(&WatchCounters::skipped_objects, splitter_.too_long() - before);
  return more;
}

void WatchReader::end() {
  splitter_.finish([this](std::string& line) { return take(line); });
}

bool WatchReader::take(std::string& line) {
  auto event = parser_.event(line);
  if (!event) {
    // Broken on the way, most likely, and then the event would be missed. If it is so again, it is
    // what the server has.
    if (std::exchange(garbage_after_, version_) == version_) {
      status_.count(&WatchCounters::skipped_objects);
      return true;
    }
    stop_ = Stop::kGarbage;
    return false;
  }
  ++events_;
  if (event->type == EventType::kError) {
    error_ = std::move(event->error);
    stop_ = Stop::kError;
    return false;
  }
  apply(std::move(*event));
  return true;
}

void WatchReader::apply(WatchEvent event) {
  auto& object = event.object;
  if (event.type == EventType::kGone && !object.uid.empty()) {
    sink_.gone(kind_, object.uid);
  } else if (event.type == EventType::kSet && object.object) {
    sink_.set(std::move(*object.object));
  } else if (event.type != EventType::kBookmark) {
    status_.count(&WatchCounters::skipped_objects);
  }
  if (!object.version.empty()) version_ = std::move(object.version);
}

}  // namespace orb8::k8s
