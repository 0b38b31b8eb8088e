// SPDX-License-Identifier: Apache-2.0
#include "cli/group_rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "cli/format.h"

namespace orb8 {
namespace {

constexpr double kNsPerSecond = 1e9;

struct Counter {
  std::uint64_t (v1::FlowGroup::*get)() const;
  void (v1::FlowGroup::*set)(std::uint64_t);
};

constexpr std::array<Counter, 12> kCounters = {{
    {&v1::FlowGroup::flows, &v1::FlowGroup::set_flows},
    {&v1::FlowGroup::sent_packets, &v1::FlowGroup::set_sent_packets},
    {&v1::FlowGroup::sent_bytes, &v1::FlowGroup::set_sent_bytes},
    {&v1::FlowGroup::sent_payload_bytes, &v1::FlowGroup::set_sent_payload_bytes},
    {&v1::FlowGroup::received_packets, &v1::FlowGroup::set_received_packets},
    {&v1::FlowGroup::received_bytes, &v1::FlowGroup::set_received_bytes},
    {&v1::FlowGroup::received_payload_bytes, &v1::FlowGroup::set_received_payload_bytes},
    {&v1::FlowGroup::connections, &v1::FlowGroup::set_connections},
    {&v1::FlowGroup::established_connections, &v1::FlowGroup::set_established_connections},
    {&v1::FlowGroup::failed_connections, &v1::FlowGroup::set_failed_connections},
    {&v1::FlowGroup::reset_connections, &v1::FlowGroup::set_reset_connections},
    {&v1::FlowGroup::retransmits, &v1::FlowGroup::set_retransmits},
}};

// What the group is called, and nothing else.
std::string name_of(v1::FlowGroup group) {
  for (const auto& counter : kCounters) (group.*counter.set)(0);
  group.clear_smallest_rtt_us();
  group.clear_largest_rtt_us();
  group.clear_first_seen_ns();
  group.clear_last_seen_ns();
  return group.SerializeAsString();
}

// Turns `group` into what it has more than `before`. False: less of something that moved.
bool subtract(const v1::FlowGroup& before, v1::FlowGroup& group) {
  bool grown = true;
  for (const auto& counter : kCounters) {
    const auto now = (group.*counter.get)();
    const auto then = (before.*counter.get)();
    (group.*counter.set)(now > then ? now - then : 0);
    // Of a connection another verdict may be true now; what has moved stays moved.
    const bool moves =
        counter.get == &v1::FlowGroup::sent_bytes || counter.get == &v1::FlowGroup::received_bytes;
    if (moves && now < then) grown = false;
  }
  return grown;
}

std::uint64_t rank(const v1::FlowGroup& group, v1::SortOrder sort) {
  switch (sort) {
    case v1::SORT_ORDER_PACKETS:
      return group.sent_packets() + group.received_packets();
    case v1::SORT_ORDER_LAST_SEEN:
      return static_cast<std::uint64_t>(std::max<std::int64_t>(group.last_seen_ns(), 0));
    case v1::SORT_ORDER_RTT:
      return group.largest_rtt_us();
    case v1::SORT_ORDER_RETRANSMITS:
      return group.retransmits();
    default:
      return group.sent_bytes() + group.received_bytes();
  }
}

void add(const v1::FlowGroup& more, v1::FlowGroup& sum) {
  for (const auto& counter : kCounters) {
    (sum.*counter.set)((sum.*counter.get)() + (more.*counter.get)());
  }
  sum.set_other_groups(sum.other_groups() + 1);
}

Result<void> check_whole(const v1::QueryFlowsResponse& answer) {
  if (answer.groups().empty() || answer.groups().rbegin()->other_groups() == 0) return {};
  const auto shown = static_cast<std::uint64_t>(answer.groups_size() - 1);
  return fail(
      Errc::kExhausted,
      fmt::format("rates need all of {} groups, and an answer of the agent holds {}: ask for "
                  "fewer with filters, or raise max_query_limit",
                  human_count(shown + answer.groups().rbegin()->other_groups()),
                  human_count(shown)));
}

}  // namespace

Result<GroupRates> group_rates(const v1::QueryFlowsResponse& before,
                               const v1::QueryFlowsResponse& after, v1::SortOrder sort,
                               std::size_t most) {
  for (const auto* answer : {&before, &after}) {
    if (auto ok = check_whole(*answer); !ok) return std::unexpected(ok.error());
  }
  std::map<std::string, const v1::FlowGroup*> then;
  for (const auto& group : before.groups()) then[name_of(group)] = &group;
  GroupRates rates;
  std::vector<v1::FlowGroup> moved;
  for (const auto& group : after.groups()) {
    auto more = group;
    const auto known = then.find(name_of(group));
    if (known != then.end()) {
      if (!subtract(*known->second, more)) ++rates.renamed;
      then.erase(known);
    }
    if (more.sent_packets() + more.received_packets() > 0) moved.push_back(std::move(more));
  }
  rates.renamed += then.size();
  std::ranges::stable_sort(moved, [&](const v1::FlowGroup& a, const v1::FlowGroup& b) {
    return rank(a, sort) > rank(b, sort);
  });
  v1::FlowGroup others;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    moved[i].set_first_seen_ns(before.taken_ns());
    moved[i].set_last_seen_ns(after.taken_ns());
    if (i < most) {
      *rates.moved.add_groups() = moved[i];
    } else {
      add(moved[i], others);
    }
  }
  if (others.other_groups() > 0) {
    others.set_first_seen_ns(before.taken_ns());
    others.set_last_seen_ns(after.taken_ns());
    *rates.moved.add_groups() = others;
  }
  rates.moved.set_matched(after.matched());
  if (after.has_accounting()) *rates.moved.mutable_accounting() = after.accounting();
  rates.seconds = static_cast<double>(after.taken_ns() - before.taken_ns()) / kNsPerSecond;
  rates.history_lacks = after.history_from_ns() > before.taken_ns();
  return rates;
}

}  // namespace orb8
