// SPDX-License-Identifier: Apache-2.0
#include "cli/compact.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "cli/accounting_text.h"
#include "cli/flow_text.h"
#include "cli/format.h"
#include "cli/socket_text.h"
#include "core/model/flow.h"

namespace orb8 {
namespace {

// "ESTABLISHED", "FAILED: refused"; empty where only packets are known, whose flags say it.
template <class Message>
std::string verdict(const Message& message, const RenderStyle& style) {
  if (const auto& failure = message.failure_reason(); !failure.empty()) {
    return style.painted("FAILED: " + printable(failure), Paint::kBad);
  }
  const auto& state = message.connection_state();
  return style.painted(printable(state), state == "ESTABLISHED" ? Paint::kGood : Paint::kNone);
}

// "TCP Flags: SYN, ACK", "ICMP echo-request", "UDP"
template <class Message>
std::string what_it_carries(const Message& message) {
  auto text = printable(message.protocol());
  if (message.has_icmp_type()) return text + " " + icmp_text(message);
  const auto flags = tcp_flags_text(static_cast<std::uint8_t>(message.tcp_flags()));
  if (flags.empty()) return text;
  text += " Flags: ";
  for (const char c : flags) {
    if (c == '|') {
      text += ", ";
    } else {
      text += c;
    }
  }
  return text;
}

struct Amount {
  std::uint64_t bytes;
  std::uint64_t packets;
};

// `what`: happened, with a blank in front; or nothing.
template <class Message>
std::string line(const Message& message, std::int64_t at_ns, std::string_view what,
                 const Amount& amount, const RenderStyle& style) {
  const auto sides = style.sides();
  const auto verdict_word = verdict(message, style);
  auto text = fmt::format(
      "{}: {} -> {} {}{}{}{} ({}) {} in {}", style.painted(style.time(at_ns), Paint::kFaint),
      printable(source_of(message, sides)), printable(bare_destination_of(message, sides)),
      printable(message.direction()), what, verdict_word.empty() ? "" : " ", verdict_word,
      what_it_carries(message), human_bytes(amount.bytes), count_of(amount.packets, "packet"));
  if (const auto process = process_text(message); process != "-") text += ", " + printable(process);
  return text;
}

std::string what_happened(const v1::NetworkEvent& event) {
  switch (event.type()) {
    case v1::EVENT_TYPE_FLOW_START:
      return " start";
    case v1::EVENT_TYPE_FLOW_UPDATE:
      return " update";
    case v1::EVENT_TYPE_FLOW_END:
      return event.end_reason().empty() ? " end"
                                        : fmt::format(" end ({})", printable(event.end_reason()));
    default:
      return " packet";
  }
}

}  // namespace

std::string compact_line(const v1::NetworkFlow& flow, const RenderStyle& style) {
  return line(flow, flow.last_seen_ns(), "", {.bytes = flow.bytes(), .packets = flow.packets()},
              style);
}

std::string compact_line(const v1::NetworkEvent& event, const RenderStyle& style) {
  const bool end = event.type() == v1::EVENT_TYPE_FLOW_END;
  return line(event, event.timestamp_ns(), what_happened(event),
              {.bytes = end ? event.total_bytes() : bytes_of(event),
               .packets = end ? event.total_packets() : packets_of(event)},
              style);
}

std::string compact_line(const v1::Pod& pod) {
  auto text = fmt::format("{}/{} {}", pod.namespace_(), pod.name(),
                          pod.ips().empty() ? "-" : fmt::format("{}", fmt::join(pod.ips(), ",")));
  if (!pod.node().empty()) text += " on " + pod.node();
  if (!pod.workload_kind().empty()) text += ", " + pod.workload_kind() + "/" + pod.workload();
  if (pod.host_network()) text += ", host-network";
  if (pod.finished()) text += ", finished";
  return printable(text);
}

std::string compact_line(const v1::AgentStatus& status, const RenderStyle& style) {
  const auto health = status.healthy() ? style.painted("OK", Paint::kGood)
                                       : style.painted("DEGRADED", Paint::kBad) + " (" +
                                             printable(status.health_message()) + ")";
  auto text =
      fmt::format("{}: {}, orb8 {}, up {}, {}, {}", printable(status.node_name()), health,
                  printable(status.version()), human_duration(status.uptime_seconds()),
                  count_of(status.active_flows(), "flow"), count_of(status.pods_tracked(), "pod"));
  if (status.has_accounting()) text += "; " + accounting_text(status.accounting());
  return text;
}

}  // namespace orb8
