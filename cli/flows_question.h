// What `orb8 flows` asks, and how its answers are shown: flows, groups of them, or their rates.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/backend.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

class FlowsQuestion {
 public:
  // All of which outlive it.
  FlowsQuestion(Backend& backend, const CliOptions& options, const Session& session)
      : backend_(backend), options_(options), session_(session) {}

  struct Answer {
    v1::QueryFlowsResponse flows;
    double seconds = 0;  // that it tells the rates of; 0: sums
  };

  // At most `limit` rows; 0: as many as the agent gives. What the answer lacks is said on standard
  // error. Rates take their window's time. kUnsupported: the agent is too old.
  Result<Answer> ask(std::uint32_t limit);

  // On standard error, of filters that no flow of this agent's source can match.
  void say_what_is_lacking();

  void render(const Answer& answer, const RenderStyle& style) const;
  // What a table has in its last line.
  std::string footer(const Answer& answer) const;

 private:
  v1::QueryFlowsRequest request(std::uint32_t limit) const;
  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& request);
  Result<Answer> ask_rates(std::chrono::milliseconds window, std::uint32_t limit);
  Result<v1::QueryFlowsResponse> all_groups(std::int64_t ended_since_ns);
  void say_what_is_forgotten(const v1::QueryFlowsRequest& asked,
                             const v1::QueryFlowsResponse& answer) const;
  void say(const std::string& line) const;

  Backend& backend_;
  const CliOptions& options_;
  const Session& session_;
};

// "orb8: flows that ended before 17:27:47.123 are not remembered": since `from_ns` they are. The
// words of one line; empty where nothing that was asked for is missing.
std::string forgotten_text(std::int64_t since_ns, std::int64_t from_ns);

}  // namespace orb8
