// Flows, events and status as text. Pure: messages in, lines out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "cli/options.h"
#include "cli/table.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

struct RenderStyle {
  OutputFormat output = OutputFormat::kTable;
  bool color = false;
  std::size_t terminal_width = 0;  // 0: not a terminal
};

void render_flows(const v1::QueryFlowsResponse& answer, const RenderStyle& style,
                  std::ostream& out);

void render_status(const v1::AgentStatus& status, const RenderStyle& style, std::ostream& out);

// Writes events one by one, the header before the first.
class EventRenderer {
 public:
  EventRenderer(const RenderStyle& style, bool packets);
  void render(const v1::NetworkEvent& event, std::ostream& out);

 private:
  Row flow_row(const v1::NetworkEvent& event) const;
  Row packet_row(const v1::NetworkEvent& event) const;

  RenderStyle style_;
  bool packets_;
  bool header_written_ = false;
  Table table_;
};

// "1,000 packets seen: 990 counted, 4 duplicate, 6 not IP, 0 lost"; what is zero is left out but
// for the lost.
std::string accounting_text(const v1::Accounting& accounting);

// All packets that met a probe.
std::uint64_t packets_seen(const v1::Accounting& accounting);

}  // namespace orb8
