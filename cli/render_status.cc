// SPDX-License-Identifier: Apache-2.0
#include "cli/render_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <vector>

#include "cli/accounting_text.h"
#include "cli/compact.h"
#include "cli/dict.h"
#include "cli/format.h"
#include "cli/json_lines.h"
#include "cli/table.h"

namespace orb8 {
namespace {

// One page; sections that an agent of another make does not fill are left out. As a dict, its lines
// are KEY: VALUE, and the rows of its tables are lines, too.
class StatusPage {
 public:
  StatusPage(const v1::AgentStatus& status, const RenderStyle& style, std::ostream& out)
      : status_(status), style_(style), out_(out) {}

  void render() {
    line("Node", printable(status_.node_name()));
    line("Version", printable(status_.version()));
    line("Health", health());
    if (!status_.flow_source().empty()) {
      line("Flow source",
           printable(status_.flow_source() + " (" + status_.flow_source_reason() + ")"));
    }
    line("Uptime", human_duration(status_.uptime_seconds()));
    counters();
    if (status_.components_size() > 0) components();
    if (status_.exporters_size() > 0) exporters();
    if (status_.has_accounting()) accounting();
    if (status_.programs_size() > 0 || status_.has_accounting()) programs();
    if (as_dict()) Dict(keys_, style_).render(values_, out_);
  }

 private:
  bool as_dict() const { return style_.output == OutputFormat::kDict; }

  std::string health() const {
    const bool well = status_.healthy();
    // A dict makes its values harmless, colours too.
    const auto word =
        as_dict() ? std::string(well ? "OK" : "DEGRADED")
                  : style_.painted(well ? "OK" : "DEGRADED", well ? Paint::kGood : Paint::kBad);
    return well ? word : word + ": " + printable(status_.health_message());
  }

  void line(const std::string& name, const std::string& value) {
    if (as_dict()) {
      keys_.push_back(name);
      std::ranges::transform(keys_.back(), keys_.back().begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      values_.push_back(value);
      return;
    }
    out_ << fmt::format("{:<13}{}\n", name + ":", value);
  }

  // In a dict each row is a line: what the first column says goes into the key, as `of` says it.
  void table(const std::string& of, Table& table, const std::vector<Row>& rows) {
    if (as_dict()) {
      for (const auto& row : rows) line(of + " " + row.front(), rest_of(row));
      return;
    }
    out_ << '\n';
    for (const auto& row : rows) table.measure(row);
    out_ << style_.painted(table.header(), Paint::kTitle) << '\n';
    for (const auto& row : rows) out_ << table.line(row) << '\n';
  }

  void counters() {
    const auto& seen = status_.accounting();
    std::string flows = human_count(status_.active_flows()) + " active";
    if (status_.max_flows() > 0) flows += " of " + human_count(status_.max_flows()) + " at most";
    line("Flows",
         fmt::format("{}; {} ended, {} evicted", flows, human_count(status_.flows_expired()),
                     human_count(status_.flows_evicted())));
    if (status_.history_from_ns() != 0) {
      line("History", fmt::format("{} since {}; {} overwritten",
                                  count_of(status_.history_flows(), "ended flow"),
                                  style_.time(status_.history_from_ns()),
                                  human_count(status_.history_overwritten())));
    }
    line("Events", human_count(status_.events_processed()) + " processed");
    line("Dropped",
         fmt::format("{} ({} packets not in any flow, {} packet events, {} by slow readers)",
                     human_count(status_.events_dropped()), human_count(seen.lost().packets()),
                     human_count(seen.packet_events_lost()),
                     human_count(status_.subscriber_drops())));
    if (status_.flow_source() == "socket") {
      line("Unseen", count_of(status_.flows_ended_unseen(), "flow end") + "; " +
                         count_of(status_.socket_ends_missed(), "last record") +
                         " missed at most; memory for a socket refused " +
                         count_of(status_.sockets_untracked(), "time"));
    }
    line("Streams", human_count(status_.subscribers()) + " open");
    if (status_.metric_series() > 0 || status_.metric_series_folded() > 0) {
      line("Metrics", human_count(status_.metric_series()) + " series, " +
                          human_count(status_.metric_series_folded()) + " folded into other");
    }
    kubernetes();
  }

  void kubernetes() {
    const bool watched = status_.has_kubernetes();
    auto pods = human_count(status_.pods_tracked()) + " tracked";
    if (watched || status_.pods_evicted() > 0) {
      pods += ", " + human_count(status_.pods_evicted()) + " evicted";
    }
    line("Pods", pods);
    if (!watched) return;
    const auto& seen = status_.kubernetes();
    line("Kubernetes",
         fmt::format("{} watch restarts, {} relists, {} failed requests, {} objects skipped",
                     human_count(seen.watch_restarts()), human_count(seen.relists()),
                     human_count(seen.failed_requests()), human_count(seen.skipped_objects())));
  }

  void components() {
    Table parts({{.header = "COMPONENT"}, {.header = "STATE"}, {.header = "REASON"}},
                style_.table_width());
    std::vector<Row> rows;
    for (const auto& part : status_.components()) {
      rows.push_back({part.name(), part.healthy() ? "ok" : "DEGRADED", part.reason()});
    }
    table("component", parts, rows);
  }

  void exporters() {
    Table places({{.header = "EXPORTER"},
                  {.header = "TO", .shrinks = true},
                  {.header = "STATE"},
                  {.header = "EXPORTED", .align = Align::kRight},
                  {.header = "DROPPED", .align = Align::kRight},
                  {.header = "FAILED", .align = Align::kRight}},
                 style_.table_width());
    std::vector<Row> rows;
    for (const auto& one : status_.exporters()) {
      rows.push_back({one.name(), one.target(), one.healthy() ? "ok" : "DEGRADED",
                      human_count(one.exported()), human_count(one.dropped()),
                      human_count(one.failed())});
    }
    table("exporter", places, rows);
  }

  void accounting() {
    Table fates({{.header = "PACKETS"},
                 {.header = "COUNT", .align = Align::kRight},
                 {.header = "BYTES", .align = Align::kRight}},
                style_.table_width());
    std::vector<Row> rows;
    const auto add = [&](std::string_view name, const v1::Tally& tally) {
      rows.push_back({std::string(name), human_count(tally.packets()), human_bytes(tally.bytes())});
    };
    add("seen", seen_in(status_.accounting()));
    for (const auto& [name, tally] : tallies_of(status_.accounting())) {
      add((as_dict() ? "" : "  ") + std::string(name), *tally);
    }
    table("packets", fates, rows);
    const auto events =
        fmt::format("{} sent, {} lost", human_count(status_.accounting().packet_events()),
                    human_count(status_.accounting().packet_events_lost()));
    if (as_dict()) return line("packet events", events);
    out_ << "packet events: " << events << '\n';
  }

  void programs() {
    if (status_.programs_size() == 0) {
      constexpr const char* kNone = "no program is attached: nothing is seen";
      if (as_dict()) return line("program", kNone);
      out_ << '\n' << style_.painted(kNone, Paint::kBad) << '\n';
      return;
    }
    Table attached({{.header = "PROGRAM"},
                    {.header = "ATTACHED TO", .shrinks = true},
                    {.header = "DIR"},
                    {.header = "MECHANISM"}},
                   style_.table_width());
    std::vector<Row> rows;
    for (const auto& program : status_.programs()) {
      // A tracepoint has no direction.
      rows.push_back({program.program(), program.interface(),
                      program.direction().empty() ? "-" : style_.direction(program.direction()),
                      program.mechanism()});
    }
    table("program", attached, rows);
  }

  static std::string rest_of(const Row& row) {
    std::string text;
    for (std::size_t i = 1; i < row.size(); ++i) {
      if (row[i].empty() || row[i] == "-") continue;
      text += (text.empty() ? "" : ", ") + row[i];
    }
    return text;
  }

  const v1::AgentStatus& status_;
  const RenderStyle& style_;
  std::ostream& out_;
  std::vector<std::string> keys_;  // of a dict
  Row values_;
};

}  // namespace

void render_status(const v1::AgentStatus& status, const RenderStyle& style, std::ostream& out) {
  if (style.is_json()) {
    out << json_line(status, style.output);
  } else if (style.output == OutputFormat::kCompact) {
    out << compact_line(status, style) << '\n';
  } else {
    StatusPage(status, style, out).render();
  }
}

}  // namespace orb8
