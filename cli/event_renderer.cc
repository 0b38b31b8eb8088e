// SPDX-License-Identifier: Apache-2.0
#include "cli/event_renderer.h"

#include <fmt/format.h>

#include <ostream>
#include <utility>
#include <vector>

#include "cli/compact.h"
#include "cli/flow_text.h"
#include "cli/format.h"
#include "cli/json_lines.h"
#include "cli/socket_text.h"

namespace orb8 {
namespace {

constexpr std::size_t kV4Endpoint = 21;  // "255.255.255.255:65535"
constexpr std::size_t kLeastEndpoint = 16;
constexpr std::size_t kReason = 11;  // "unreachable"

void add_wide_columns(const RenderStyle& style, std::vector<Column>& columns) {
  columns.push_back({.header = "INTERFACE"});
  if (!style.numeric) {
    columns.push_back({.header = "POD", .width = 16});
    columns.push_back({.header = "FROM", .width = 16});
    columns.push_back({.header = "TO", .width = 16});
    columns.push_back({.header = "SERVICE"});
  }
  columns.push_back({.header = "TOTAL PACKETS", .align = Align::kRight});
  columns.push_back({.header = "TOTAL BYTES", .align = Align::kRight});
  columns.push_back({.header = "FIRST SEEN", .width = time_width(style.time_format)});
  columns.push_back({.header = "CGROUP", .align = Align::kRight});
  columns.push_back({.header = "END", .width = 7});
  for (auto& column : socket_columns()) columns.push_back(std::move(column));
}

// Rows come one by one, so that widths are set for what is usual, and seldom have to grow.
std::vector<Column> event_columns(const RenderStyle& style) {
  const bool failures = style.failures;  // who and why come before what they have in common
  std::vector<Column> columns = {
      {.header = "TIME", .width = time_width(style.time_format)},
      {.header = "EVENT", .width = 6, .leaves = failures ? 7 : 0},
      {.header = "PROTO", .width = 6, .leaves = failures ? 6 : 0},
      {.header = "SOURCE", .width = kV4Endpoint, .shrinks = true},
      {.header = "DESTINATION", .width = kV4Endpoint, .shrinks = true},
      {.header = "DIR", .width = style.direction("ingress") == "in" ? 3U : 7U},
      {.header = "PACKETS", .align = Align::kRight, .leaves = failures ? 3 : 1},
      {.header = "BYTES", .align = Align::kRight, .width = 9, .leaves = failures ? 2 : 0},
      {.header = "RATE", .align = Align::kRight, .width = 12, .leaves = 5},
      {.header = "FLAGS", .leaves = 4}};
  if (style.has_all()) {
    add_wide_columns(style, columns);
  } else {
    const int leaves = failures ? 0 : 2;
    columns.push_back({.header = "PROCESS", .width = 12, .shrinks = true, .leaves = leaves});
    if (failures) columns.push_back({.header = "REASON", .width = kReason});
  }
  return columns;
}

std::string event_word(const v1::NetworkEvent& event) {
  switch (event.type()) {
    case v1::EVENT_TYPE_FLOW_START:
      return "START";
    case v1::EVENT_TYPE_FLOW_UPDATE:
      return "UPDATE";
    case v1::EVENT_TYPE_FLOW_END:
      return "END";
    default:
      return "PACKET";
  }
}

Paint event_paint(const v1::NetworkEvent& event) {
  if (event.type() == v1::EVENT_TYPE_FLOW_START) return Paint::kGood;
  return event.type() == v1::EVENT_TYPE_FLOW_END ? Paint::kFaint : Paint::kNone;
}

Row event_row(const v1::NetworkEvent& event, double seconds, const RenderStyle& style) {
  const bool end = event.type() == v1::EVENT_TYPE_FLOW_END;
  const bool wide = style.has_all();
  const auto bytes = end ? event.total_bytes() : bytes_of(event);
  Row row = {style.time(event.timestamp_ns()),
             event_word(event),
             event.protocol(),
             source_of(event, style.sides()),
             destination_of(event, style.sides()),
             style.direction(event.direction()),
             human_count(end ? event.total_packets() : packets_of(event)),
             human_bytes(bytes),
             human_bit_rate(bytes, seconds),
             tcp_flags_text(event.tcp_flags())};
  if (wide) {
    row.push_back(event.interface().empty() ? "-" : event.interface());
    if (!style.numeric) {
      row.push_back(pod_text(event));
      row.push_back(endpoint_text(event.src()));
      row.push_back(endpoint_text(event.dst()));
      row.push_back(service_text(event));
    }
    row.push_back(human_count(event.total_packets()));
    row.push_back(human_bytes(event.total_bytes()));
    row.push_back(style.time(event.first_seen_ns()));
    row.push_back(event.cgroup_id() == 0 ? "-" : std::to_string(event.cgroup_id()));
    row.push_back(event.end_reason().empty() ? "-" : event.end_reason());
    for (auto& cell : socket_cells(event)) row.push_back(std::move(cell));
  } else {
    row.push_back(process_text(event));
    if (style.failures) row.push_back(failure_text(event));
  }
  return row;
}

std::string who_details(const v1::NetworkEvent& event) {
  auto text = ", " + pod_text(event);
  if (event.has_src() || event.has_dst()) {
    text += fmt::format(", {} > {}", endpoint_text(event.src()), endpoint_text(event.dst()));
  }
  if (const auto service = service_text(event); service != "-") text += ", service " + service;
  return text;
}

std::string packet_details(const v1::NetworkEvent& event, const RenderStyle& style) {
  std::string text;
  if (event.protocol() == "TCP") {
    text = fmt::format("flags [{}], ", tcp_flag_letters(event.tcp_flags()));
  } else if (event.has_icmp_type()) {
    text = icmp_text(event) + ", ";
  }
  text += fmt::format("length {}", bytes_of(event));
  if (packets_of(event) > 1) text += fmt::format(" in {} packets", packets_of(event));
  if (style.output == OutputFormat::kWide) {
    if (!style.numeric) text += who_details(event);
    if (event.cgroup_id() != 0) text += fmt::format(", cgroup {}", event.cgroup_id());
  }
  return text;
}

}  // namespace

std::string packet_line(const v1::NetworkEvent& event, const RenderStyle& style) {
  auto begin = style.time(event.timestamp_ns());
  if (style.output == OutputFormat::kWide) begin += " " + event.interface();
  begin += fmt::format(" {:<7} {} ", event.direction(), event.protocol());
  auto source = source_of(event, style.sides());
  auto destination = bare_destination_of(event, style.sides());
  const auto details = packet_details(event, style);
  const auto width = style.table_width();
  const auto others = begin.size() + std::string_view(" > : ").size() + details.size();
  if (width > 0 && others + source.size() + destination.size() > width) {
    const auto most = std::max(kLeastEndpoint, width > others ? (width - others) / 2 : 0);
    source = shorten_middle(source, most);
    destination = shorten_middle(destination, most);
  }
  return printable(begin + source + " > " + destination + ": " + details);
}

EventRenderer::EventRenderer(const RenderStyle& style)
    : style_(style),
      table_(event_columns(style), style.table_width()),
      dict_(event_columns(style), style) {}

void EventRenderer::set_terminal_width(std::size_t width) {
  style_.terminal_width = width;
  table_.set_terminal_width(style_.table_width());
}

void EventRenderer::header(std::ostream& out) const {
  if (!style_.is_table()) return;
  out << style_.painted(table_.header(), Paint::kTitle) << '\n';
}

void EventRenderer::render(const v1::NetworkEvent& event, double seconds, std::ostream& out) {
  if (style_.is_json()) {
    line_.clear();
    append_json_line(event, style_.output, line_);
    out << line_;
    return;
  }
  if (event.dropped_before() > 0) {
    const auto lost = count_of(event.dropped_before(), "event") + " lost here, read too slowly";
    out << style_.painted(lost, Paint::kBad) << '\n';
  }
  if (style_.output == OutputFormat::kCompact) {
    out << compact_line(event, style_) << '\n';
  } else if (style_.output == OutputFormat::kDict) {
    dict_.render(event_row(event, seconds, style_), out);
  } else if (event.type() == v1::EVENT_TYPE_PACKET) {
    out << packet_line(event, style_) << '\n';
  } else {
    render_row(event, seconds, out);
  }
}

void EventRenderer::render_row(const v1::NetworkEvent& event, double seconds, std::ostream& out) {
  const auto row = event_row(event, seconds, style_);
  table_.measure(row);
  out << style_.painted(table_.line(row), event_paint(event)) << '\n';
}

}  // namespace orb8
