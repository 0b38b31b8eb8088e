// A live stream as lines: one for each flow event or packet.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>

#include "cli/dict.h"
#include "cli/render_style.h"
#include "cli/table.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

class EventRenderer {
 public:
  explicit EventRenderer(const RenderStyle& style);

  // A terminal's width may change while the stream runs.
  void set_terminal_width(std::size_t width);

  // Of the table that flow events make; other formats have none.
  void header(std::ostream& out) const;

  // `seconds`: what the event tells of, for its rate; 0: not known.
  void render(const v1::NetworkEvent& event, double seconds, std::ostream& out);

 private:
  void render_row(const v1::NetworkEvent& event, double seconds, std::ostream& out);

  RenderStyle style_;
  Table table_;
  Dict dict_;
  std::string line_;  // of JSON; its room is used again
};

// One packet as tcpdump would say it: "10:02:56.922 egress  TCP 10.0.0.1:443 > 10.0.0.2:51234:
// flags [S.], length 74".
std::string packet_line(const v1::NetworkEvent& event, const RenderStyle& style);

}  // namespace orb8
