// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_groups.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "core/model/verdict.h"

namespace orb8 {
namespace {

std::int64_t earliest(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);  // 0: none yet
  return std::min(a, b);
}

std::uint32_t least(std::uint32_t a, std::uint32_t b) {
  if (a == 0 || b == 0) return std::max(a, b);  // 0: not known
  return std::min(a, b);
}

void add(MovedSums& sums, const MovedSums& more) {
  sums.packets += more.packets;
  sums.bytes += more.bytes;
  sums.payload_bytes += more.payload_bytes;
}

// What one flow has but for its connection.
FlowSums sums_of(const Flow& flow) {
  FlowSums sums;
  sums.flows = 1;
  (flow.key.direction == Direction::kEgress ? sums.sent : sums.received) = {
      .packets = flow.packets, .bytes = flow.bytes, .payload_bytes = flow.payload_bytes};
  sums.first_seen_ns = flow.first_seen_ns;
  sums.last_seen_ns = flow.last_seen_ns;
  sums.smallest_rtt_us = sums.largest_rtt_us = flow.socket.rtt_us;
  return sums;
}

// Both flows of a connection under one key: that of what was sent, whichever is seen.
FlowKey connection_of(FlowKey key) {
  if (key.direction == Direction::kEgress) return key;
  std::swap(key.src, key.dst);
  std::swap(key.src_port, key.dst_port);
  key.direction = Direction::kEgress;
  return key;
}

// What both flows of a connection tell of it, or one that came back after it had been pushed out.
struct Connection {
  std::size_t group = 0;  // of the first of them: it counts there alone
  std::uint32_t retransmits = 0;
  bool established = false;
  bool failed = false;
  bool reset = false;
};

// A number for each value in each dimension, so that a group's key is small.
using GroupKey = std::array<std::uint32_t, kGroupBys>;

struct GroupKeyHash {
  std::size_t operator()(const GroupKey& key) const noexcept {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15U;
    std::uint64_t hash = 0;
    for (const auto part : key) hash = ((hash ^ part) * kOdd) ^ (hash >> 29U);
    return hash;
  }
};

constexpr std::uint32_t kHasPort = 1U << 16U;
constexpr unsigned kProtocolShift = 17;

std::uint32_t port_number(const Flow& flow) {
  const auto port = server_port(flow);
  return std::uint32_t{flow.key.protocol} << kProtocolShift | (port ? kHasPort | *port : 0U);
}

class Grouper {
 public:
  explicit Grouper(std::span<const GroupBy> dimensions) : dimensions_(dimensions) {}

  void add(const Flow& flow) {
    ++matched_;
    const auto [place, fresh] = places_.try_emplace(key_of(flow), sums_.size());
    if (fresh) sums_.push_back({.key = &place->first, .sums = {}});
    sums_[place->second].sums.add(sums_of(flow));
    if (flow.key.protocol == IPPROTO_TCP) add_connection(flow, place->second);
  }

  FlowGroups take(FlowSort sort, std::size_t limit) {
    for (const auto& [key, connection] : connections_) count(connection);
    const auto before = [&](const Group& a, const Group& b) { return is_before(a, b, sort); };
    const auto shown = std::min(limit, sums_.size());
    const auto end = sums_.begin() + static_cast<std::ptrdiff_t>(shown);
    std::partial_sort(sums_.begin(), end, sums_.end(), before);
    FlowGroups answer;
    answer.matched = matched_;
    for (auto group = sums_.begin(); group != end; ++group) answer.groups.push_back(named(*group));
    for (auto group = end; group != sums_.end(); ++group) answer.others.add(group->sums);
    answer.other_groups = sums_.size() - shown;
    return answer;
  }

 private:
  struct Group {
    const GroupKey* key;
    FlowSums sums;
  };

  GroupKey key_of(const Flow& flow) {
    GroupKey key = {};
    for (std::size_t i = 0; i < dimensions_.size(); ++i) {
      key.at(i) = dimensions_[i] == GroupBy::kPort ? port_number(flow)
                                                   : number_of(name_in(flow, dimensions_[i]));
    }
    return key;
  }

  std::uint32_t number_of(std::string name) {
    const auto next = static_cast<std::uint32_t>(names_.size());
    const auto [known, fresh] = numbers_.try_emplace(std::move(name), next);
    if (fresh) names_.push_back(&known->first);
    return known->second;
  }

  void add_connection(const Flow& flow, std::size_t group) {
    const auto [found, fresh] = connections_.try_emplace(connection_of(flow.key));
    auto& connection = found->second;
    if (fresh) connection.group = group;
    connection.retransmits = std::max(connection.retransmits, flow.socket.retransmits);
    connection.established |= has_verdict(flow, Verdict::kEstablished);
    connection.failed |= has_verdict(flow, Verdict::kFailed);
    connection.reset |= has_verdict(flow, Verdict::kReset);
  }

  void count(const Connection& connection) {
    auto& sums = sums_[connection.group].sums;
    const bool lost = connection.failed || connection.reset;
    ++sums.connections;
    sums.established += connection.established && !lost ? 1 : 0;
    sums.failed += lost ? 1 : 0;
    sums.reset += connection.reset ? 1 : 0;
    sums.retransmits += connection.retransmits;
  }

  static std::uint64_t rank(const FlowSums& sums, FlowSort sort) {
    switch (sort) {
      case FlowSort::kPackets:
        return sums.sent.packets + sums.received.packets;
      case FlowSort::kLastSeen:
        return static_cast<std::uint64_t>(std::max<std::int64_t>(sums.last_seen_ns, 0));
      case FlowSort::kRtt:
        return sums.largest_rtt_us;
      case FlowSort::kRetransmits:
        return sums.retransmits;
      case FlowSort::kBytes:
        break;
    }
    return sums.sent.bytes + sums.received.bytes;
  }

  bool is_before(const Group& a, const Group& b, FlowSort sort) const {
    const auto rank_a = rank(a.sums, sort);
    const auto rank_b = rank(b.sums, sort);
    if (rank_a != rank_b) return rank_a > rank_b;
    for (std::size_t i = 0; i < dimensions_.size(); ++i) {
      const auto one = a.key->at(i);
      const auto other = b.key->at(i);
      if (one == other) continue;
      if (dimensions_[i] == GroupBy::kPort) return one < other;
      return *names_[one] < *names_[other];
    }
    return false;
  }

  FlowGroup named(const Group& group) const {
    FlowGroup named{.names = {}, .port = {}, .sums = group.sums};
    for (std::size_t i = 0; i < dimensions_.size(); ++i) {
      const auto number = group.key->at(i);
      if (dimensions_[i] != GroupBy::kPort) {
        named.names.push_back(*names_[number]);
        continue;
      }
      named.names.emplace_back();
      named.protocol = static_cast<std::uint8_t>(number >> kProtocolShift);
      if ((number & kHasPort) != 0) named.port = static_cast<std::uint16_t>(number);
    }
    return named;
  }

  std::span<const GroupBy> dimensions_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<const std::string*> names_;  // by number; they lie in numbers_
  std::unordered_map<GroupKey, std::size_t, GroupKeyHash> places_;
  std::vector<Group> sums_;
  std::unordered_map<FlowKey, Connection, FlowKeyHash> connections_;
  std::size_t matched_ = 0;
};

}  // namespace

void FlowSums::add(const FlowSums& more) {
  flows += more.flows;
  orb8::add(sent, more.sent);
  orb8::add(received, more.received);
  connections += more.connections;
  established += more.established;
  failed += more.failed;
  reset += more.reset;
  retransmits += more.retransmits;
  first_seen_ns = earliest(first_seen_ns, more.first_seen_ns);
  last_seen_ns = std::max(last_seen_ns, more.last_seen_ns);
  smallest_rtt_us = least(smallest_rtt_us, more.smallest_rtt_us);
  largest_rtt_us = std::max(largest_rtt_us, more.largest_rtt_us);
}

FlowGroups group_flows(const FlowSet& flows, const FlowMatcher& matcher,
                       std::span<const GroupBy> dimensions, FlowSort sort, std::size_t limit) {
  Grouper grouper(dimensions);
  flows.for_each([&](const Flow& flow) {
    if (matcher.matches(flow)) grouper.add(flow);
  });
  return grouper.take(sort, limit);
}

}  // namespace orb8
