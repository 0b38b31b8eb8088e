// What filters ask of flows that is known only where flows are counted in one of both ways.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orb8/v1/agent.pb.h"

namespace orb8 {

struct SourceFacts {
  bool tcp_flags = false;  // packets tell them
  bool processes = false;  // sockets do
  bool sockets = false;    // and how a connection fares: round-trip time, retransmits, failures

  bool any() const { return tcp_flags || processes || sockets; }
};

// Also behind a --not, which then holds for all.
SourceFacts facts_asked(const v1::StreamEventsRequest& request);
SourceFacts facts_asked(const v1::QueryFlowsRequest& request);

// What this flow or event has of them, into `seen`.
template <class Message>
void add_facts(const Message& message, SourceFacts& seen) {
  seen.tcp_flags = seen.tcp_flags || message.tcp_flags() != 0;
  seen.processes = seen.processes || !message.process().empty();
  seen.sockets = seen.sockets || !message.connection_state().empty();
}

// What an agent with that source cannot know of what is asked, a sentence each: what, why and what
// to do. None where its source is not known.
std::vector<std::string> facts_lacking(const SourceFacts& asked, std::string_view flow_source,
                                       bool packets);

// The same of a saved trace, of what was not seen in it.
std::vector<std::string> facts_lacking(const SourceFacts& asked, const SourceFacts& seen,
                                       const std::string& file);

}  // namespace orb8
