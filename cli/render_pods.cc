// SPDX-License-Identifier: Apache-2.0
#include "cli/render_pods.h"

#include <fmt/format.h>

#include <ostream>
#include <vector>

#include "cli/compact.h"
#include "cli/dict.h"
#include "cli/format.h"
#include "cli/json_lines.h"
#include "cli/table.h"

namespace orb8 {
namespace {

constexpr std::size_t kShortId = 12;  // as `docker ps` shows it

std::string known(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string note(const v1::Pod& pod) {
  std::string text;
  if (pod.host_network()) text = "host-network";
  if (pod.finished()) text += text.empty() ? "finished" : ", finished";
  return known(text);
}

// "name=0123456789ab", "name" alone before it has started.
std::string containers(const v1::Pod& pod) {
  std::string text;
  for (const auto& container : pod.containers()) {
    if (!text.empty()) text += ",";
    text += container.name();
    if (!container.id().empty()) text += "=" + container.id().substr(0, kShortId);
  }
  return known(text);
}

std::string workload(const v1::Pod& pod) {
  return pod.workload_kind().empty() ? "-" : pod.workload_kind() + "/" + pod.workload();
}

std::vector<Column> pod_columns(const RenderStyle& style) {
  std::vector<Column> columns = {{.header = "NAMESPACE", .shrinks = true},
                                 {.header = "NAME", .shrinks = true},
                                 {.header = "IP", .shrinks = true},
                                 {.header = "NODE", .shrinks = true, .leaves = 2},
                                 {.header = "WORKLOAD", .shrinks = true, .leaves = 1},
                                 {.header = "CGROUP"},
                                 {.header = "NOTE", .leaves = 3}};
  if (style.has_all()) {
    columns.push_back({.header = "ZONE"});
    columns.push_back({.header = "CONTAINERS"});
    columns.push_back({.header = "UID"});
  }
  return columns;
}

Row pod_row(const v1::Pod& pod, const v1::QueryPodsResponse& answer, const RenderStyle& style) {
  const bool here = pod.node() == answer.node_name();
  Row row = {
      pod.namespace_(),  pod.name(),    known(fmt::format("{}", fmt::join(pod.ips(), ","))),
      known(pod.node()), workload(pod), !here ? "-" : pod.cgroup_found() ? "found" : "missing",
      note(pod)};
  if (style.has_all()) {
    row.push_back(known(pod.zone()));
    row.push_back(containers(pod));
    row.push_back(pod.uid());
  }
  return row;
}

void render_table(const v1::QueryPodsResponse& answer, const RenderStyle& style,
                  std::ostream& out) {
  Table table(pod_columns(style), style.table_width());
  std::vector<Row> rows;
  for (const auto& pod : answer.pods()) {
    rows.push_back(pod_row(pod, answer, style));
    table.measure(rows.back());
  }
  out << style.painted(table.header(), Paint::kTitle) << '\n';
  for (const auto& row : rows) out << table.line(row) << '\n';
  const auto count = count_of(static_cast<std::uint64_t>(answer.pods_size()), "pod");
  out << style.painted(count, Paint::kFaint) << '\n';
}

}  // namespace

void render_pods(const v1::QueryPodsResponse& answer, const RenderStyle& style, std::ostream& out) {
  switch (style.output) {
    case OutputFormat::kJson:
    case OutputFormat::kJsonpb:
      for (const auto& pod : answer.pods()) out << json_line(pod, style.output);
      return;
    case OutputFormat::kCompact:
      for (const auto& pod : answer.pods()) out << compact_line(pod) << '\n';
      return;
    case OutputFormat::kDict: {
      Dict dict(pod_columns(style), style);
      for (const auto& pod : answer.pods()) dict.render(pod_row(pod, answer, style), out);
      return;
    }
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      return render_table(answer, style, out);
  }
}

}  // namespace orb8
