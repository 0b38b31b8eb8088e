// SPDX-License-Identifier: Apache-2.0
#include "cli/render.h"

#include <fmt/format.h>

#include <ostream>
#include <utility>
#include <vector>

#include "cli/format.h"
#include "cli/json.h"

namespace orb8 {
namespace {

constexpr std::size_t kV4Endpoint = 21;  // "255.255.255.255:65535"
constexpr double kNsPerSecond = 1e9;

constexpr const char* kReset = "\x1b[0m";
constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kBold = "\x1b[1m";

std::string painted(const std::string& text, const char* color, const RenderStyle& style) {
  return style.color && color ? color + text + kReset : text;
}

std::string pod_of(const std::string& name_space, const std::string& pod) {
  return printable(name_space) + "/" + printable(pod);
}

Table flows_table(const RenderStyle& style) {
  std::vector<Column> columns = {{.header = "PROTO"},
                                 {.header = "SOURCE", .shrinks = true},
                                 {.header = "DESTINATION", .shrinks = true},
                                 {.header = "DIR"},
                                 {.header = "PACKETS", .align = Align::kRight},
                                 {.header = "BYTES", .align = Align::kRight},
                                 {.header = "LAST SEEN"}};
  if (style.output == OutputFormat::kWide) {
    columns.push_back({.header = "FIRST SEEN"});
    columns.push_back({.header = "FLAGS"});
    columns.push_back({.header = "INTERFACE"});
    columns.push_back({.header = "POD", .shrinks = true});
    columns.push_back({.header = "CGROUP", .align = Align::kRight});
  }
  return {columns, style.terminal_width};
}

Row flow_row(const v1::NetworkFlow& flow, const RenderStyle& style) {
  Row row = {protocol_of(flow),
             source_of(flow),
             destination_of(flow),
             flow.direction(),
             human_count(flow.packets()),
             human_bytes(flow.bytes()),
             clock_time(flow.last_seen_ns())};
  if (style.output == OutputFormat::kWide) {
    row.push_back(clock_time(flow.first_seen_ns()));
    row.push_back(tcp_flag_letters(flow.tcp_flags()));
    row.push_back(printable(flow.interface()));
    row.push_back(pod_of(flow.namespace_(), flow.pod_name()));
    row.push_back(flow.cgroup_id() == 0 ? "-" : std::to_string(flow.cgroup_id()));
  }
  return row;
}

Table events_table(const RenderStyle& style, bool packets) {
  std::vector<Column> columns = {{.header = "TIME", .width = 12}};
  if (!packets) columns.push_back({.header = "EVENT", .width = 6});
  columns.push_back({.header = "PROTO", .width = 6});
  columns.push_back({.header = "SOURCE", .width = kV4Endpoint, .shrinks = true});
  columns.push_back({.header = "DESTINATION", .width = kV4Endpoint, .shrinks = true});
  columns.push_back({.header = "DIR", .width = 7});
  if (packets) {
    columns.push_back({.header = "LENGTH", .align = Align::kRight, .width = 6});
    columns.push_back({.header = "FLAGS"});
  } else {
    columns.push_back({.header = "PACKETS", .align = Align::kRight, .width = 7});
    columns.push_back({.header = "BYTES", .align = Align::kRight, .width = 10});
    columns.push_back({.header = "RATE", .align = Align::kRight, .width = 12});
    columns.push_back({.header = "FLAGS"});
  }
  if (style.output == OutputFormat::kWide) {
    columns.back().width = 6;
    columns.push_back({.header = "INTERFACE", .width = 9});
    columns.push_back({.header = "POD", .width = 16, .shrinks = true});
    columns.push_back({.header = "TOTAL PACKETS", .align = Align::kRight});
    columns.push_back({.header = "TOTAL BYTES", .align = Align::kRight});
    columns.push_back({.header = "FIRST SEEN", .width = 12});
    columns.push_back({.header = "CGROUP", .align = Align::kRight});
  }
  return {columns, style.terminal_width};
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

const char* event_color(const v1::NetworkEvent& event) {
  if (event.type() == v1::EVENT_TYPE_FLOW_START) return kGreen;
  if (event.type() == v1::EVENT_TYPE_FLOW_END) return kDim;
  return nullptr;
}

void add_wide_cells(const v1::NetworkEvent& event, Row& row) {
  row.push_back(printable(event.interface()));
  row.push_back(pod_of(event.namespace_(), event.pod_name()));
  row.push_back(human_count(event.total_packets()));
  row.push_back(human_bytes(event.total_bytes()));
  row.push_back(clock_time(event.first_seen_ns()));
  row.push_back(event.cgroup_id() == 0 ? "-" : std::to_string(event.cgroup_id()));
}

// Over the flow's life for one that ends; a start and an update tell of one second.
std::string event_rate(const v1::NetworkEvent& event) {
  if (event.type() != v1::EVENT_TYPE_FLOW_END) return human_bit_rate(event.byte_count(), 1);
  const auto life_ns = event.timestamp_ns() - event.first_seen_ns();
  return human_bit_rate(event.total_bytes(), static_cast<double>(life_ns) / kNsPerSecond);
}

using NamedTally = std::pair<const char*, const v1::Tally&>;

std::vector<NamedTally> tallies_of(const v1::Accounting& accounting) {
  return {{"counted", accounting.counted()},     {"spilled", accounting.spilled()},
          {"duplicate", accounting.duplicate()}, {"own", accounting.own()},
          {"not IP", accounting.not_ip()},       {"truncated", accounting.truncated()},
          {"unparsed", accounting.unparsed()},   {"lost", accounting.lost()}};
}

}  // namespace

void render_flows(const v1::QueryFlowsResponse& answer, const RenderStyle& style,
                  std::ostream& out) {
  if (style.output == OutputFormat::kJson) {
    for (const auto& flow : answer.flows()) out << to_json(flow) << '\n';
    return;
  }
  auto table = flows_table(style);
  std::vector<Row> rows;
  for (const auto& flow : answer.flows()) {
    rows.push_back(flow_row(flow, style));
    table.measure(rows.back());
  }
  out << painted(table.header(), kBold, style) << '\n';
  for (const auto& row : rows) out << table.line(row) << '\n';
  if (answer.matched() > static_cast<std::uint64_t>(answer.flows_size())) {
    out << fmt::format("{} of {} flows; --limit shows more\n",
                       human_count(static_cast<std::uint64_t>(answer.flows_size())),
                       human_count(answer.matched()));
  }
}

void render_status(const v1::AgentStatus& status, const RenderStyle& style, std::ostream& out) {
  if (style.output == OutputFormat::kJson) {
    out << to_json(status) << '\n';
    return;
  }
  const auto line = [&](const std::string& name, const std::string& value) {
    out << fmt::format("{:<13} {}\n", name + ":", value);
  };
  line("Node", printable(status.node_name()));
  line("Version", printable(status.version()));
  line("Health", status.healthy()
                     ? painted("OK", kGreen, style)
                     : painted("DEGRADED", kRed, style) + " " + printable(status.health_message()));
  for (const auto& component : status.components()) {
    out << fmt::format("  {:<16} {}\n", component.name(),
                       component.healthy() ? "ok" : printable(component.reason()));
  }
  if (!status.flow_source().empty()) {
    line("Flow source", status.flow_source() + " (" + status.flow_source_reason() + ")");
  }
  line("Uptime", human_duration(status.uptime_seconds()));
  line("Flows",
       fmt::format("{} of {} at most; {} expired, {} evicted", human_count(status.active_flows()),
                   human_count(status.max_flows()), human_count(status.flows_expired()),
                   human_count(status.flows_evicted())));
  line("Events", fmt::format("{} processed, {} dropped", human_count(status.events_processed()),
                             human_count(status.events_dropped())));
  line("Streams", fmt::format("{}; {} events dropped for slow readers", status.subscribers(),
                              human_count(status.subscriber_drops())));
  line("Pods", human_count(status.pods_tracked()));
  out << fmt::format("Packets:      {} seen\n", human_count(packets_seen(status.accounting())));
  for (const auto& [name, tally] : tallies_of(status.accounting())) {
    out << fmt::format("  {:<10} {:>15} {:>12}\n", name, human_count(tally.packets()),
                       human_bytes(tally.bytes()));
  }
  line("Packet events",
       fmt::format("{} sent, {} lost", human_count(status.accounting().packet_events()),
                   human_count(status.accounting().packet_events_lost())));
  out << "Programs:\n";
  Table table(
      {{.header = "  INTERFACE"}, {.header = "DIR"}, {.header = "PROGRAM"}, {.header = "BY"}},
      style.terminal_width);
  std::vector<Row> rows;
  for (const auto& program : status.programs()) {
    rows.push_back({"  " + printable(program.interface()), program.direction(), program.program(),
                    program.mechanism()});
    table.measure(rows.back());
  }
  out << table.header() << '\n';
  for (const auto& row : rows) out << table.line(row) << '\n';
}

EventRenderer::EventRenderer(const RenderStyle& style, bool packets)
    : style_(style), packets_(packets), table_(events_table(style, packets)) {}

Row EventRenderer::flow_row(const v1::NetworkEvent& event) const {
  return {clock_time(event.timestamp_ns()),
          event_word(event),
          protocol_of(event),
          source_of(event),
          destination_of(event),
          event.direction(),
          human_count(event.type() == v1::EVENT_TYPE_FLOW_END ? event.total_packets()
                                                              : event.packets()),
          human_bytes(event.type() == v1::EVENT_TYPE_FLOW_END ? event.total_bytes()
                                                              : event.byte_count()),
          event_rate(event),
          tcp_flag_letters(event.tcp_flags())};
}

Row EventRenderer::packet_row(const v1::NetworkEvent& event) const {
  return {clock_time(event.timestamp_ns()),
          protocol_of(event),
          source_of(event),
          destination_of(event),
          event.direction(),
          std::to_string(event.byte_count()),
          tcp_flag_letters(event.tcp_flags())};
}

void EventRenderer::render(const v1::NetworkEvent& event, std::ostream& out) {
  if (style_.output == OutputFormat::kJson) {
    out << to_json(event) << '\n';
    return;
  }
  if (event.dropped_before() > 0) {
    out << painted(fmt::format("... {} events lost here: this reader was too slow",
                               human_count(event.dropped_before())),
                   kRed, style_)
        << '\n';
  }
  auto row = packets_ ? packet_row(event) : flow_row(event);
  if (style_.output == OutputFormat::kWide) add_wide_cells(event, row);
  table_.measure(row);
  if (!header_written_) out << painted(table_.header(), kBold, style_) << '\n';
  header_written_ = true;
  out << painted(table_.line(row), event_color(event), style_) << '\n';
}

std::uint64_t packets_seen(const v1::Accounting& accounting) {
  std::uint64_t seen = 0;
  for (const auto& [name, tally] : tallies_of(accounting)) seen += tally.packets();
  return seen;
}

std::string accounting_text(const v1::Accounting& accounting) {
  std::string text = human_count(packets_seen(accounting)) + " packets seen: ";
  for (const auto& [name, tally] : tallies_of(accounting)) {
    const bool last = name == std::string_view("lost");
    if (tally.packets() == 0 && !last) continue;
    text += human_count(tally.packets()) + " " + name + (last ? "" : ", ");
  }
  return text;
}

}  // namespace orb8
