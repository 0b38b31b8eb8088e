// SPDX-License-Identifier: Apache-2.0
#include "cli/seen_flows.h"

#include <algorithm>
#include <tuple>

#include "cli/flow_text.h"

namespace orb8 {
namespace {

constexpr double kNsPerSecond = 1e9;
// Packets of one burst are microseconds apart: a rate over so short a time says nothing.
constexpr double kShortestSeconds = 0.1;

double seconds_between(std::int64_t begin_ns, std::int64_t end_ns) {
  if (begin_ns == 0) return 0;
  const auto seconds = static_cast<double>(end_ns - begin_ns) / kNsPerSecond;
  return seconds < kShortestSeconds ? 0 : seconds;
}

}  // namespace

double SeenFlows::add(const v1::NetworkEvent& event) {
  total_.packets += packets_of(event);
  total_.bytes += bytes_of(event);
  Talker talker{.protocol = event.protocol(),
                .source = source_of(event, sides_),
                .destination = destination_of(event, sides_),
                .direction = event.direction()};
  // By addresses: names may become known later, and be the same for several.
  const auto key = talker.protocol + ' ' + source_address_of(event) + ' ' +
                   destination_address_of(event) + ' ' + talker.direction;
  auto found = talkers_.find(key);
  if (found == talkers_.end() && talkers_.size() < most_flows_) {
    found = talkers_.emplace(key, talker).first;
  }
  // An update tells of the time since the event before. Of a flow that is older than this trace,
  // the first update does not say how long that is.
  const bool update = event.type() == v1::EVENT_TYPE_FLOW_UPDATE;
  auto before_ns = update ? 0 : event.first_seen_ns();
  if (found != talkers_.end()) {
    auto& known = found->second;
    known.source = std::move(talker.source);
    known.destination = std::move(talker.destination);
    if (update) before_ns = known.last_ns;
    known.packets += packets_of(event);
    known.bytes += bytes_of(event);
    known.last_ns = event.timestamp_ns();
  }
  return seconds_between(before_ns, event.timestamp_ns());
}

std::vector<SeenFlows::Talker> SeenFlows::top(std::size_t most) const {
  std::vector<const Talker*> order;
  for (const auto& [key, talker] : talkers_) {
    if (talker.packets > 0) order.push_back(&talker);
  }
  const auto shown = std::min(most, order.size());
  const auto before = [](const Talker* a, const Talker* b) {
    return std::tie(b->bytes, a->source, a->destination, a->protocol, a->direction) <
           std::tie(a->bytes, b->source, b->destination, b->protocol, b->direction);
  };
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(shown), before);
  std::vector<Talker> top;
  top.reserve(shown);
  for (std::size_t i = 0; i < shown; ++i) top.push_back(*order[i]);
  return top;
}

}  // namespace orb8
