// SPDX-License-Identifier: Apache-2.0
#include "cli/render_talkers.h"

#include <fmt/format.h>

#include <ostream>
#include <vector>

#include "cli/format.h"
#include "cli/table.h"

namespace orb8 {

void render_talkers(const SeenFlows& seen, std::size_t most, const RenderStyle& style,
                    std::ostream& out) {
  const auto top = seen.top(most);
  if (top.empty()) return;
  Table table({{.header = "PROTO"},
               {.header = "SOURCE", .shrinks = true},
               {.header = "DESTINATION", .shrinks = true},
               {.header = "DIR"},
               {.header = "PACKETS", .align = Align::kRight, .leaves = 1},
               {.header = "BYTES", .align = Align::kRight},
               {.header = "SHARE", .align = Align::kRight}},
              style.table_width());
  const auto& all = seen.total();
  std::vector<Row> rows;
  for (const auto& talker : top) {
    const double share =
        all.bytes == 0 ? 0
                       : 100 * static_cast<double>(talker.bytes) / static_cast<double>(all.bytes);
    rows.push_back({talker.protocol, talker.source, talker.destination,
                    style.direction(talker.direction), human_count(talker.packets),
                    human_bytes(talker.bytes), fmt::format("{:.1f}%", share)});
    table.measure(rows.back());
  }
  out << fmt::format("\nTop talkers: {} of {}; {}, {} in all\n", rows.size(),
                     count_of(seen.size(), "flow"), count_of(all.packets, "packet"),
                     human_bytes(all.bytes));
  out << style.painted(table.header(), Paint::kTitle) << '\n';
  for (const auto& row : rows) out << table.line(row) << '\n';
}

}  // namespace orb8
