// SPDX-License-Identifier: Apache-2.0
#include "cli/flows_question.h"

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <utility>

#include "cli/asked_facts.h"
#include "cli/filter_request.h"
#include "cli/format.h"
#include "cli/group_rates.h"
#include "cli/render_flows.h"
#include "cli/render_groups.h"
#include "cli/time_format.h"
#include "cli/time_point.h"
#include "cli/wait.h"
#include "core/base/clock.h"

namespace orb8 {
namespace {

constexpr std::int64_t kEver = 1;  // of times of the wire, 0 is none

// Whether an agent that ignores what it does not know would answer something else.
bool needs_new_agent(const v1::QueryFlowsRequest& request) {
  return request.since_ns() != 0 || request.until_ns() != 0 || request.ended_since_ns() != 0 ||
         request.group_by_size() > 0;
}

void put_selectors(const Selectors& selectors, v1::QueryFlowsRequest& request) {
  const auto now_ns = wall_now_ns();
  if (selectors.any()) request.set_since_ns(kEver);
  if (selectors.since) request.set_since_ns(selectors.since->at(now_ns));
  if (selectors.until) request.set_until_ns(selectors.until->at(now_ns));
  request.set_oldest_first(selectors.first != 0);
}

}  // namespace

std::string forgotten_text(std::int64_t since_ns, std::int64_t from_ns) {
  // Who asks for everything gets what there is.
  if (since_ns <= kEver || from_ns <= since_ns) return "";
  return fmt::format("flows that ended before {} are not remembered",
                     time_text(from_ns, TimeFormat::kClock));
}

v1::QueryFlowsRequest FlowsQuestion::request(std::uint32_t limit) const {
  v1::QueryFlowsRequest request;
  put_filters(options_.filters, request);
  put_selectors(options_.selectors, request);
  request.set_sort(options_.sort);
  request.set_limit(limit);
  request.set_collapse_client_ports(options_.collapse_ports);
  for (const auto by : options_.group_by) request.add_group_by(by);
  return request;
}

Result<v1::QueryFlowsResponse> FlowsQuestion::query(const v1::QueryFlowsRequest& request) {
  auto answer = backend_.query(request, {.stop = session_.stop});
  if (answer && needs_new_agent(request) && answer->taken_ns() == 0) {
    return fail(Errc::kUnsupported,
                fmt::format("the agent is too old for {}: it knows the flows alive, one by one",
                            options_.group_by.empty() ? "flows that have ended" : "--by"));
  }
  return answer;
}

Result<FlowsQuestion::Answer> FlowsQuestion::ask(std::uint32_t limit) {
  if (options_.window) return ask_rates(*options_.window, limit);
  const auto asked = request(limit);
  auto answer = query(asked);
  if (!answer) return std::unexpected(answer.error());
  say_what_is_forgotten(asked, *answer);
  return Answer{.flows = std::move(*answer)};
}

// A difference needs the groups of both times, whichever are the largest of it.
Result<v1::QueryFlowsResponse> FlowsQuestion::all_groups(std::int64_t ended_since_ns) {
  auto asked = request(0);
  asked.set_ended_since_ns(ended_since_ns);
  return query(asked);
}

Result<FlowsQuestion::Answer> FlowsQuestion::ask_rates(std::chrono::milliseconds window,
                                                       std::uint32_t limit) {
  const auto before = all_groups(0);
  if (!before) return std::unexpected(before.error());
  if (!wait_for(window, session_.stop)) {
    return fail(Errc::kUnavailable, "interrupted before there was an answer");
  }
  const auto after = all_groups(before->taken_ns());
  if (!after) return std::unexpected(after.error());
  const auto most = limit == 0 ? static_cast<std::size_t>(after->groups_size()) : limit;
  auto rates = group_rates(*before, *after, options_.sort, most);
  if (!rates) return std::unexpected(rates.error());
  if (rates->history_lacks) {
    say("flows that ended meanwhile are not all remembered: rates are too low (raise "
        "history_records)");
  }
  if (rates->renamed > 0) {
    say(fmt::format("a flow changed its group meanwhile, {}: rates of both are wrong",
                    count_of(rates->renamed, "time")));
  }
  return Answer{.flows = std::move(rates->moved), .seconds = rates->seconds};
}

void FlowsQuestion::say_what_is_forgotten(const v1::QueryFlowsRequest& asked,
                                          const v1::QueryFlowsResponse& answer) const {
  const auto text = forgotten_text(asked.since_ns(), answer.history_from_ns());
  if (!text.empty()) say(text);
}

void FlowsQuestion::say_what_is_lacking() {
  const auto asked = facts_asked(request(1));
  if (!asked.any()) return;
  const auto agent = backend_.status({.stop = session_.stop});
  if (!agent) return;  // the answer will not come either, and says why
  for (const auto& line : facts_lacking(asked, agent->flow_source(), false)) say(line);
}

void FlowsQuestion::say(const std::string& line) const {
  session_.err << "orb8: " << line << "\n";
}

void FlowsQuestion::render(const Answer& answer, const RenderStyle& style) const {
  if (options_.group_by.empty()) return render_flows(answer.flows, style, session_.out);
  render_groups(answer.flows, options_.group_by, answer.seconds, style, session_.out);
}

std::string FlowsQuestion::footer(const Answer& answer) const {
  return options_.group_by.empty() ? flows_footer(answer.flows)
                                   : groups_footer(answer.flows, answer.seconds);
}

}  // namespace orb8
