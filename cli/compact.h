// One line for each flow, event, pod or agent, made to be read as it scrolls by: the spirit of
// Hubble's compact format, in our own words.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/render_style.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// "22:13:20.000: shop/web-0:51234 -> shop/db-0:5432 egress ESTABLISHED (TCP Flags: SYN, ACK)
// 1.5 KiB in 10 packets, nginx": when it was last seen, who, how the connection stands, how much
// so far, and the process. Lines are not cut to the terminal.
std::string compact_line(const v1::NetworkFlow& flow, const RenderStyle& style);

// The same with what happened, "start", "update", "end (closed)" or "packet", and what moved since
// the flow's line before; at its end, all that did.
std::string compact_line(const v1::NetworkEvent& event, const RenderStyle& style);

// "shop/web-0 10.0.0.1 on node-1, Deployment/web, host-network"
std::string compact_line(const v1::Pod& pod);

// "node-1: OK, orb8 0.1.0, up 3m12s, 12 flows, 34 pods; 1,000 packets seen: 990 counted, 0 lost"
std::string compact_line(const v1::AgentStatus& status, const RenderStyle& style);

}  // namespace orb8
