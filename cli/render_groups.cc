// SPDX-License-Identifier: Apache-2.0
#include "cli/render_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <utility>

#include "cli/accounting_text.h"
#include "cli/dict.h"
#include "cli/format.h"
#include "cli/json_lines.h"
#include "cli/table.h"

namespace orb8 {
namespace {

constexpr const char* kUnknown = "-";

std::string port_text(const v1::FlowGroup& group) {
  return group.has_port() ? fmt::format("{}/{}", group.port(), group.protocol()) : group.protocol();
}

// A column's header, and what stands in it.
std::pair<const char*, std::string> dimension(const v1::FlowGroup& group, v1::GroupBy by) {
  switch (by) {
    case v1::GROUP_BY_POD:
      return {"POD", group.pod()};
    case v1::GROUP_BY_WORKLOAD:
      return {"WORKLOAD", group.workload()};
    case v1::GROUP_BY_NAMESPACE:
      return {"NAMESPACE", group.namespace_()};
    case v1::GROUP_BY_NODE:
      return {"NODE", group.node()};
    case v1::GROUP_BY_PROCESS:
      return {"PROCESS", group.process()};
    case v1::GROUP_BY_SERVICE:
      return {"SERVICE", group.service()};
    case v1::GROUP_BY_PORT:
      return {"PORT", port_text(group)};
    case v1::GROUP_BY_PEER_POD:
      return {"PEER POD", group.peer_pod()};
    case v1::GROUP_BY_PEER_WORKLOAD:
      return {"PEER WORKLOAD", group.peer_workload()};
    case v1::GROUP_BY_PEER_NAMESPACE:
      return {"PEER NAMESPACE", group.peer_namespace()};
    case v1::GROUP_BY_PEER_NODE:
      return {"PEER NODE", group.peer_node()};
    case v1::GROUP_BY_PEER_IP:
      return {"PEER IP", group.peer_ip()};
    default:
      return {"", ""};
  }
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string packet_rate(std::uint64_t packets, double seconds) {
  return fmt::format("{:.1f}/s", static_cast<double>(packets) / seconds);
}

std::string rtt_text(const v1::FlowGroup& group) {
  if (group.largest_rtt_us() == 0) return kUnknown;
  auto most = human_micros(group.largest_rtt_us());
  if (group.smallest_rtt_us() == group.largest_rtt_us()) return most;
  return human_micros(group.smallest_rtt_us()) + ".." + most;
}

std::vector<Column> group_columns(const std::vector<v1::GroupBy>& by, double seconds) {
  std::vector<Column> columns;
  columns.reserve(by.size());
  for (const auto one : by) {
    columns.push_back({.header = dimension({}, one).first, .shrinks = true});
  }
  const auto number = [&](const char* header, int leaves = 0) {
    columns.push_back({.header = header, .align = Align::kRight, .leaves = leaves});
  };
  number("SENT");
  number("RECEIVED");
  if (seconds > 0) {
    number("PKT SENT", 2);
    number("PKT RECV", 1);
  } else {
    number("PACKETS", 1);
    number("FLOWS", 3);
  }
  number("CONNS", 2);
  number("FAILED", 2);
  number("RETRANS", 4);
  number("RTT", 5);
  if (seconds == 0) columns.push_back({.header = "LAST SEEN", .leaves = 6});
  return columns;
}

Row group_row(const v1::FlowGroup& group, const std::vector<v1::GroupBy>& by, double seconds,
              const RenderStyle& style) {
  Row row;
  for (const auto one : by) {
    auto text = dimension(group, one).second;
    if (group.other_groups() > 0) {
      text = row.empty() ? count_of(group.other_groups(), "other") : "";
    } else if (text.empty()) {
      text = kUnknown;
    }
    row.push_back(std::move(text));
  }
  if (seconds > 0) {
    row.push_back(human_bit_rate(group.sent_bytes(), seconds));
    row.push_back(human_bit_rate(group.received_bytes(), seconds));
    row.push_back(packet_rate(group.sent_packets(), seconds));
    row.push_back(packet_rate(group.received_packets(), seconds));
  } else {
    row.push_back(human_bytes(group.sent_bytes()));
    row.push_back(human_bytes(group.received_bytes()));
    row.push_back(human_count(group.sent_packets() + group.received_packets()));
    row.push_back(human_count(group.flows()));
  }
  row.push_back(human_count(group.connections()));
  row.push_back(human_count(group.failed_connections()));
  row.push_back(human_count(group.retransmits()));
  row.push_back(rtt_text(group));
  if (seconds == 0) row.push_back(style.time(group.last_seen_ns()));
  return row;
}

// "shop/web -> 443/TCP: sent 1.5 KiB, received 20 KiB, 34 packets, 2 flows": what is 0 or not known
// is left out behind the first two.
std::string compact_group(const Row& row, const std::vector<Column>& columns, std::size_t names) {
  std::string line;
  for (std::size_t i = 0; i < names; ++i) line += (i == 0 ? "" : " ") + row[i];
  line += ": ";
  for (std::size_t i = names; i < row.size(); ++i) {
    if (i > names + 1 && (row[i] == kUnknown || row[i] == "0")) continue;
    line += (i == names ? "" : ", ") + lower(columns[i].header) + " " + row[i];
  }
  return line;
}

void render_table(const v1::QueryFlowsResponse& answer, const std::vector<Column>& columns,
                  const std::vector<Row>& rows, double seconds, const RenderStyle& style,
                  std::ostream& out) {
  Table table(columns, style.table_width());
  for (const auto& row : rows) table.measure(row);
  out << style.painted(table.header(), Paint::kTitle) << '\n';
  for (const auto& row : rows) out << table.line(row) << '\n';
  out << style.painted(groups_footer(answer, seconds), Paint::kFaint) << '\n';
}

}  // namespace

std::string groups_footer(const v1::QueryFlowsResponse& answer, double seconds) {
  std::uint64_t shown = 0;
  std::uint64_t others = 0;
  for (const auto& group : answer.groups()) {
    if (group.other_groups() == 0) ++shown;
    others += group.other_groups();
  }
  auto text = others == 0 ? count_of(shown, "group")
                          : fmt::format("{} of {} (--top shows more)", human_count(shown),
                                        count_of(shown + others, "group"));
  text += " of " + count_of(answer.matched(), "flow");
  if (seconds > 0) text += fmt::format(", over {:.1f} s", seconds);
  if (answer.has_accounting()) text += "; " + accounting_text(answer.accounting());
  return text;
}

void render_groups(const v1::QueryFlowsResponse& answer, const std::vector<v1::GroupBy>& by,
                   double seconds, const RenderStyle& style, std::ostream& out) {
  if (style.is_json()) {
    for (const auto& group : answer.groups()) out << json_line(group, style.output);
    return;
  }
  const auto columns = group_columns(by, seconds);
  std::vector<Row> rows;
  for (const auto& group : answer.groups()) {
    rows.push_back(group_row(group, by, seconds, style));
  }
  if (style.is_table()) return render_table(answer, columns, rows, seconds, style, out);
  Dict dict(columns, style);
  for (const auto& row : rows) {
    if (style.output == OutputFormat::kDict) {
      dict.render(row, out);
    } else {
      out << printable(compact_group(row, columns, by.size())) << '\n';
    }
  }
}

}  // namespace orb8
