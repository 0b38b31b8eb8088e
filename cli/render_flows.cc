// SPDX-License-Identifier: Apache-2.0
#include "cli/render_flows.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include "cli/accounting_text.h"
#include "cli/compact.h"
#include "cli/dict.h"
#include "cli/flow_text.h"
#include "cli/format.h"
#include "cli/json_lines.h"
#include "cli/socket_text.h"
#include "cli/table.h"

namespace orb8 {
namespace {

// The columns that not every table has.
struct Extras {
  bool service = false;
  bool process = false;
  bool reason = false;
};

// A wide table has all that is known of sockets; another one, what there is to tell.
Extras extras_for(const v1::QueryFlowsResponse& answer, const RenderStyle& style) {
  if (style.has_all()) return {};
  const bool any = std::ranges::any_of(answer.flows(),
                                       [](const auto& flow) { return process_text(flow) != "-"; });
  // A Service without a backend is the destination already.
  const bool behind = std::ranges::any_of(answer.flows(), [](const auto& flow) {
    return service_text(flow) != "-" && flow.dst().kind() != "service" &&
           flow.src().kind() != "service";
  });
  return {.service = behind && !style.numeric, .process = any, .reason = style.failures};
}

std::vector<Column> flow_columns(const RenderStyle& style, const Extras& extras) {
  std::vector<Column> columns = {{.header = "PROTO"},
                                 {.header = "SOURCE", .shrinks = true},
                                 {.header = "DESTINATION", .shrinks = true},
                                 {.header = "DIR"},
                                 {.header = "PACKETS", .align = Align::kRight, .leaves = 1},
                                 {.header = "BYTES", .align = Align::kRight},
                                 {.header = "LAST SEEN", .leaves = 3},
                                 {.header = "FLAGS", .leaves = 4}};
  if (extras.service) columns.push_back({.header = "SERVICE", .shrinks = true, .leaves = 5});
  if (extras.process) columns.push_back({.header = "PROCESS", .shrinks = true, .leaves = 2});
  if (extras.reason) columns.push_back({.header = "REASON"});
  if (style.has_all()) {
    columns.push_back({.header = "FIRST SEEN"});
    columns.push_back({.header = "INTERFACE"});
    if (!style.numeric) {
      for (const auto* name : {"POD", "FROM", "TO", "SERVICE"}) columns.push_back({.header = name});
    }
    columns.push_back({.header = "CGROUP", .align = Align::kRight});
    for (auto& column : socket_columns()) {
      column.width = 0;  // all rows are there to be measured
      columns.push_back(std::move(column));
    }
  }
  return columns;
}

Row flow_row(const v1::NetworkFlow& flow, const RenderStyle& style, const Extras& extras) {
  Row row = {flow.protocol(),
             source_of(flow, style.sides()),
             destination_of(flow, style.sides()),
             style.direction(flow.direction()),
             human_count(flow.packets()),
             human_bytes(flow.bytes()),
             style.time(flow.last_seen_ns()),
             tcp_flags_text(flow.tcp_flags())};
  if (extras.service) row.push_back(service_text(flow));
  if (extras.process) row.push_back(process_text(flow));
  if (extras.reason) row.push_back(failure_text(flow));
  if (style.has_all()) {
    row.push_back(style.time(flow.first_seen_ns()));
    row.push_back(flow.interface().empty() ? "-" : flow.interface());
    if (!style.numeric) {
      row.push_back(pod_text(flow));
      row.push_back(endpoint_text(flow.src()));
      row.push_back(endpoint_text(flow.dst()));
      row.push_back(service_text(flow));
    }
    row.push_back(flow.cgroup_id() == 0 ? "-" : std::to_string(flow.cgroup_id()));
    for (auto& cell : socket_cells(flow)) row.push_back(std::move(cell));
  }
  return row;
}

void render_table(const v1::QueryFlowsResponse& answer, const RenderStyle& style,
                  std::ostream& out) {
  const auto extras = extras_for(answer, style);
  Table table(flow_columns(style, extras), style.table_width());
  std::vector<Row> rows;
  for (const auto& flow : answer.flows()) {
    rows.push_back(flow_row(flow, style, extras));
    table.measure(rows.back());
  }
  out << style.painted(table.header(), Paint::kTitle) << '\n';
  for (const auto& row : rows) out << table.line(row) << '\n';
  out << style.painted(flows_footer(answer), Paint::kFaint) << '\n';
}

}  // namespace

std::string flows_footer(const v1::QueryFlowsResponse& answer) {
  const auto shown = static_cast<std::uint64_t>(answer.flows_size());
  const auto matched = std::max(shown, answer.matched());
  auto text = matched == shown ? count_of(shown, "flow")
                               : fmt::format("{} of {} (--limit shows more)", human_count(shown),
                                             count_of(matched, "flow"));
  if (answer.has_accounting()) text += "; " + accounting_text(answer.accounting());
  return text;
}

void render_flows(const v1::QueryFlowsResponse& answer, const RenderStyle& style,
                  std::ostream& out) {
  switch (style.output) {
    case OutputFormat::kJson:
    case OutputFormat::kJsonpb:
      for (const auto& flow : answer.flows()) out << json_line(flow, style.output);
      return;
    case OutputFormat::kCompact:
      for (const auto& flow : answer.flows()) out << compact_line(flow, style) << '\n';
      return;
    case OutputFormat::kDict: {
      Dict dict(flow_columns(style, {}), style);
      for (const auto& flow : answer.flows()) dict.render(flow_row(flow, style, {}), out);
      return;
    }
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      return render_table(answer, style, out);
  }
}

}  // namespace orb8
