// SPDX-License-Identifier: Apache-2.0
#include "cli/asked_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace orb8 {
namespace {

constexpr std::string_view kSocket = "socket";
constexpr std::string_view kTc = "tc";
constexpr std::string_view kTcpFlags = "TCP flags";
constexpr std::string_view kProcess = "a process";
constexpr std::string_view kFaring = "a round-trip time, retransmits or a failure";

bool asks_for_processes(const v1::FlowFilter& filter) {
  return !filter.either().processes().empty() || !filter.source().processes().empty() ||
         !filter.destination().processes().empty();
}

// How a connection stands packets tell well enough, but for this.
bool asks_for_failures(const v1::FlowFilter& filter) {
  return filter.failed() ||
         std::ranges::find(filter.verdicts(), "failed") != filter.verdicts().end();
}

void add_asked(const v1::FlowFilter& filter, SourceFacts& asked) {
  asked.tcp_flags = asked.tcp_flags || !filter.tcp_flags().empty();
  asked.processes = asked.processes || asks_for_processes(filter);
  asked.sockets = asked.sockets || filter.min_rtt_us() > 0 || filter.min_retransmits() > 0 ||
                  asks_for_failures(filter);
}

void add_all_asked(const v1::FlowFilter& filter, SourceFacts& asked) {
  add_asked(filter, asked);
  for (const auto& none : filter.none_of()) add_asked(none, asked);
}

template <class Request>
SourceFacts asked_by(const Request& request) {
  SourceFacts asked;
  add_all_asked(request.filter(), asked);
  for (const auto& filter : request.allow()) add_all_asked(filter, asked);
  for (const auto& filter : request.deny()) add_all_asked(filter, asked);
  return asked;
}

// What only sockets know of a flow.
std::string only_sockets(std::string_view what) {
  return fmt::format(
      "no flow has {} here: sockets tell it, and the flow source is tc; use flow_source socket "
      "(orb8 status says why it is tc)",
      what);
}

std::string not_in(const std::string& file, std::string_view what, std::string_view who) {
  return fmt::format("no line of {} has {}; {}", file, what, who);
}

}  // namespace

SourceFacts facts_asked(const v1::StreamEventsRequest& request) {
  return asked_by(request);
}
SourceFacts facts_asked(const v1::QueryFlowsRequest& request) {
  return asked_by(request);
}

std::vector<std::string> facts_lacking(const SourceFacts& asked, std::string_view flow_source,
                                       bool packets) {
  std::vector<std::string> lacking;
  if (packets) {
    if (asked.processes) {
      lacking.emplace_back(
          "no packet has a process: sockets tell it of flows; use trace network without --packets");
    }
    return lacking;
  }
  if (asked.tcp_flags && flow_source == kSocket) {
    lacking.emplace_back(
        "no flow has TCP flags here: packets tell them, and the flow source is socket; use orb8 "
        "trace network --packets, or flow_source tc");
  }
  if (flow_source != kTc) return lacking;
  if (asked.processes) lacking.push_back(only_sockets(kProcess));
  if (asked.sockets) lacking.push_back(only_sockets(kFaring));
  return lacking;
}

std::vector<std::string> facts_lacking(const SourceFacts& asked, const SourceFacts& seen,
                                       const std::string& file) {
  constexpr auto kSocketWrites = "an agent whose flow source is socket writes it";
  std::vector<std::string> lacking;
  if (asked.tcp_flags && !seen.tcp_flags) {
    lacking.push_back(not_in(file, kTcpFlags,
                             "trace network --packets writes them, and an agent whose flow source "
                             "is tc"));
  }
  if (asked.processes && !seen.processes) lacking.push_back(not_in(file, kProcess, kSocketWrites));
  if (asked.sockets && !seen.sockets) lacking.push_back(not_in(file, kFaring, kSocketWrites));
  return lacking;
}

}  // namespace orb8
