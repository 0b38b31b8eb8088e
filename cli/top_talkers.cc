// SPDX-License-Identifier: Apache-2.0
#include "cli/top_talkers.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "cli/format.h"
#include "cli/table.h"

namespace orb8 {

void TopTalkers::add(const v1::NetworkEvent& event) {
  if (event.packets() == 0 && event.byte_count() == 0) return;
  all_.packets += event.packets();
  all_.bytes += event.byte_count();
  Talker talker{.total = {},
                .protocol = protocol_of(event),
                .source = source_of(event),
                .destination = destination_of(event),
                .direction = event.direction()};
  const auto key =
      talker.protocol + ' ' + talker.source + ' ' + talker.destination + ' ' + talker.direction;
  auto found = talkers_.find(key);
  if (found == talkers_.end()) {
    if (talkers_.size() >= kMostFlows) return;  // in all_, which the shares are of
    found = talkers_.emplace(key, std::move(talker)).first;
  }
  found->second.total.packets += event.packets();
  found->second.total.bytes += event.byte_count();
}

void TopTalkers::render(std::size_t most, const RenderStyle& style, std::ostream& out) const {
  if (talkers_.empty()) return;
  std::vector<const Talker*> order;
  for (const auto& [key, talker] : talkers_) order.push_back(&talker);
  const auto shown = std::min(most, order.size());
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(shown),
                            [](const Talker* a, const Talker* b) {
                              if (a->total.bytes != b->total.bytes) {
                                return a->total.bytes > b->total.bytes;
                              }
                              return a->source < b->source;
                            });
  Table table({{.header = "PROTO"},
               {.header = "SOURCE", .shrinks = true},
               {.header = "DESTINATION", .shrinks = true},
               {.header = "DIR"},
               {.header = "PACKETS", .align = Align::kRight},
               {.header = "BYTES", .align = Align::kRight},
               {.header = "SHARE", .align = Align::kRight}},
              style.terminal_width);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& talker = *order[i];
    const double share = all_.bytes == 0 ? 0
                                         : 100 * static_cast<double>(talker.total.bytes) /
                                               static_cast<double>(all_.bytes);
    rows.push_back({talker.protocol, talker.source, talker.destination, talker.direction,
                    human_count(talker.total.packets), human_bytes(talker.total.bytes),
                    fmt::format("{:.1f}%", share)});
    table.measure(rows.back());
  }
  out << fmt::format("\nTop talkers ({} of {} flows, {} packets, {} in all)\n", shown,
                     human_count(talkers_.size()), human_count(all_.packets),
                     human_bytes(all_.bytes));
  out << table.header() << '\n';
  for (const auto& row : rows) out << table.line(row) << '\n';
}

}  // namespace orb8
