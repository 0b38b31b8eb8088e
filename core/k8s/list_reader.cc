// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/list_reader.h"

#include <utility>

#include "core/k8s/limits.h"

namespace orb8::k8s {

ListReader::ListReader(Kind kind, Sink& sink, ClientStatus& status)
    : kind_(kind), sink_(sink), status_(status), parser_(kind), splitter_(kMaxObjectBytes) {}

void ListReader::begin_list() {
  uids_.clear();
  begin_page();
}

void ListReader::begin_page() {
  splitter_ = ListSplitter(kMaxObjectBytes);
}

bool ListReader::feed(std::string_view part) {
  return splitter_.feed(part, [this](std::string& item) { take(item); });
}

void ListReader::take(std::string& item) {
  auto parsed = parser_.item(item);
  // One that is malformed is still there: what is held of it is not to be removed.
  if (parsed && !parsed->uid.empty()) uids_.insert(parsed->uid);
  if (parsed && parsed->object) {
    sink_.set(std::move(*parsed->object));
  } else {
    status_.count(&WatchCounters::skipped_objects);
  }
}

std::optional<ListHead> ListReader::end_page() {
  status_.count(&WatchCounters::skipped_objects, splitter_.too_long());
  if (!splitter_.complete()) return std::nullopt;
  return parser_.list_head(splitter_.head());
}

void ListReader::end_list() {
  const auto uids = std::exchange(uids_, {});
  splitter_ = ListSplitter(kMaxObjectBytes);
  sink_.listed(kind_, uids);
}

}  // namespace orb8::k8s
