// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "core/model/verdict.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

EndpointRef pod(const std::string& name) {
  return std::make_shared<const Endpoint>(
      Endpoint{.kind = EndpointKind::kPod, .name_space = "shop", .name = name});
}

FlowView view_of(const std::vector<Flow>& flows) {
  FlowTable none({});
  FlowHistory history({}, 0);
  for (const auto& flow : flows) history.add(flow, EndReason::kClosed, 1);
  return {.live = none.share(), .history = history.share()};
}

FlowGroups grouped(const std::vector<Flow>& flows, const std::vector<GroupBy>& by,
                   FlowSort sort = FlowSort::kBytes, std::size_t limit = 1'000'000) {
  const auto view = view_of(flows);
  return group_flows({view, {}}, {}, by, sort, limit);
}

// Both flows of a client's connection from this pod's port.
std::vector<Flow> connection(const std::string& name, std::uint16_t port) {
  Flow sent;
  sent.key = {.src = Addr::v4(10, 0, 0, 1),
              .dst = Addr::v4(10, 0, 0, 2),
              .src_port = port,
              .dst_port = 80,
              .protocol = IPPROTO_TCP,
              .direction = Direction::kEgress,
              .socket = port};
  sent.packets = 2;
  sent.bytes = 200;
  sent.payload_bytes = 20;
  sent.first_seen_ns = 5;
  sent.last_seen_ns = 9;
  sent.socket = {.rtt_us = 300, .retransmits = 4, .state = TCP_ESTABLISHED};
  sent.socket.role = Role::kClient;
  sent.owners = FlowOwners{.src = pod(name), .dst = pod("db")};
  auto received = sent;
  received.key.direction = Direction::kIngress;
  std::swap(received.key.src, received.key.dst);
  std::swap(received.key.src_port, received.key.dst_port);
  received.bytes = 1'000;
  received.last_seen_ns = 10;
  received.owners = FlowOwners{.src = pod("db"), .dst = pod(name)};
  return {sent, received};
}

TEST(FlowGroups, SumBothWaysAndCountAConnectionOnce) {
  const auto groups = grouped(connection("web", 1), {GroupBy::kPod, GroupBy::kPeerPod});
  ASSERT_THAT(groups.groups, SizeIs(1));
  const auto& group = groups.groups.front();
  EXPECT_THAT(group.names, ElementsAre("shop/web", "shop/db"));
  const FlowSums expected{.flows = 2,
                          .sent = {.packets = 2, .bytes = 200, .payload_bytes = 20},
                          .received = {.packets = 2, .bytes = 1'000, .payload_bytes = 20},
                          .connections = 1,
                          .established = 1,
                          .retransmits = 4,
                          .first_seen_ns = 5,
                          .last_seen_ns = 10,
                          .smallest_rtt_us = 300,
                          .largest_rtt_us = 300};
  EXPECT_EQ(group.sums, expected);
  EXPECT_EQ(groups.matched, 2U);
}

TEST(FlowGroups, CountAConnectionOnceThoughItWasPushedOutAndCameBack) {
  auto flows = connection("web", 1);
  const auto again = connection("web", 1);
  flows.insert(flows.end(), again.begin(), again.end());
  const auto groups = grouped(flows, {GroupBy::kPod});
  EXPECT_EQ(groups.groups.at(0).sums.connections, 1U);
  EXPECT_EQ(groups.groups.at(0).sums.retransmits, 4U) << "the socket's own count";
  EXPECT_EQ(groups.groups.at(0).sums.sent.packets, 4U) << "each has what moved in its time";
}

TEST(FlowGroups, CountWhatWasResetAmongWhatFailed) {
  auto reset = connection("web", 1);
  for (auto& flow : reset) {
    flow.socket.state = TCP_CLOSE;
    flow.socket.error = ECONNRESET;
  }
  auto refused = connection("web", 2);
  for (auto& flow : refused) {
    flow.socket.state = TCP_CLOSE;
    flow.socket.error = ECONNREFUSED;
  }
  reset.insert(reset.end(), refused.begin(), refused.end());
  const auto sums = grouped(reset, {GroupBy::kPod}).groups.at(0).sums;
  EXPECT_EQ(sums.connections, 2U);
  EXPECT_EQ(sums.failed, 2U);
  EXPECT_EQ(sums.reset, 1U);
  EXPECT_EQ(sums.established, 0U);
}

TEST(FlowGroups, HaveTheServersPortWithItsProtocol) {
  auto flows = connection("web", 1);
  auto udp = flows.front();
  udp.key.protocol = IPPROTO_UDP;
  udp.bytes = 1;
  auto ping = udp;
  ping.key.protocol = IPPROTO_ICMP;
  ping.bytes = 0;
  flows.insert(flows.end(), {udp, ping});
  const auto groups = grouped(flows, {GroupBy::kPort}).groups;
  ASSERT_THAT(groups, SizeIs(3));
  EXPECT_EQ(groups[0].port, 80);
  EXPECT_EQ(groups[0].protocol, IPPROTO_TCP);
  EXPECT_EQ(groups[1].protocol, IPPROTO_UDP);
  EXPECT_EQ(groups[2].port, std::nullopt);
  EXPECT_EQ(groups[2].protocol, IPPROTO_ICMP);
}

TEST(FlowGroups, SumUpWhatIsBeyondTheLimit) {
  std::vector<Flow> flows;
  for (std::uint16_t n = 1; n <= 5; ++n) {
    auto pair = connection("web-" + std::to_string(n), n);
    pair.front().bytes = n;
    flows.push_back(pair.front());
  }
  const auto groups = grouped(flows, {GroupBy::kPod}, FlowSort::kBytes, 2);
  ASSERT_THAT(groups.groups, SizeIs(2));
  EXPECT_THAT(groups.groups[0].names, ElementsAre("shop/web-5"));
  EXPECT_EQ(groups.other_groups, 3U);
  EXPECT_EQ(groups.others.sent.bytes, 3U + 2 + 1);
  EXPECT_EQ(groups.others.flows, 3U);
}

TEST(FlowGroups, LeaveOutWhatDoesNotMatch) {
  const auto view = view_of(connection("web", 1));
  const auto groups =
      group_flows({view, {}}, FlowMatcher({.all = {.directions = {Direction::kEgress}}}),
                  std::array{GroupBy::kPod}, FlowSort::kBytes, 10);
  EXPECT_EQ(groups.groups.at(0).sums.received, MovedSums{});
  EXPECT_EQ(groups.groups.at(0).sums.connections, 1U);
}

// Flows of few addresses, ports and owners, so that they meet in every way.
class RandomFlows {
 public:
  explicit RandomFlows(unsigned seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  Flow next() {
    Flow flow;
    const auto byte = [&] { return static_cast<std::uint8_t>(below(3)); };
    flow.key = {.src = Addr::v4(10, 0, 0, byte()),
                .dst = Addr::v4(10, 0, 0, byte()),
                .src_port = static_cast<std::uint16_t>(below(4)),
                .dst_port = static_cast<std::uint16_t>(below(4)),
                .protocol = kProtocols.at(below(kProtocols.size())),
                .direction = below(2) == 0 ? Direction::kIngress : Direction::kEgress,
                .socket = below(3)};
    flow.tcp_flags = static_cast<std::uint8_t>(below(64));
    flow.packets = below(100);
    flow.bytes = below(1'000'000);
    flow.payload_bytes = below(1'000);
    flow.first_seen_ns = static_cast<std::int64_t>(1 + below(1'000));
    flow.last_seen_ns = flow.first_seen_ns + static_cast<std::int64_t>(below(1'000));
    flow.socket.rtt_us = static_cast<std::uint32_t>(below(3));
    flow.socket.retransmits = static_cast<std::uint32_t>(below(4));
    flow.socket.state = static_cast<std::uint8_t>(below(8));
    flow.socket.old_state = static_cast<std::uint8_t>(below(8));
    flow.socket.error = below(3) == 0 ? ECONNRESET : below(2) == 0 ? ECONNREFUSED : 0;
    flow.socket.role = static_cast<Role>(below(3));
    flow.owners = FlowOwners{
        .src = side(),
        .dst = side(),
        .src_service = below(3) == 0 ? side() : nullptr,
        .dst_service = below(3) == 0 ? side() : nullptr,
        .local = below(2) == 0
                     ? nullptr
                     : std::make_shared<Owner>(Owner{.pid = 1, .comm = std::to_string(below(2))})};
    return flow;
  }

  // Some of all there are, each once, in any order.
  std::vector<GroupBy> dimensions() {
    std::vector<GroupBy> all(kGroupBys);
    for (std::size_t i = 0; i < kGroupBys; ++i) all[i] = static_cast<GroupBy>(i);
    std::ranges::shuffle(all, random_);
    all.resize(1 + below(kGroupBys));
    return all;
  }

 private:
  static constexpr std::array<std::uint8_t, 4> kProtocols = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP,
                                                             IPPROTO_ICMP};

  EndpointRef side() {
    if (below(4) == 0) return nullptr;
    Endpoint one{.kind = static_cast<EndpointKind>(below(7)),
                 .name_space = below(2) == 0 ? "" : "n" + std::to_string(below(2)),
                 .name = std::to_string(below(2))};
    if (below(2) == 0) {
      one.workload_kind = "Job";
      one.workload = std::to_string(below(2));
    }
    if (below(2) == 0) one.node = std::to_string(below(2));
    return std::make_shared<const Endpoint>(one);
  }

  std::mt19937_64 random_;
};

// What a group is called, in words alone.
std::vector<std::string> words_of(const Flow& flow, const std::vector<GroupBy>& dimensions) {
  std::vector<std::string> words;
  for (const auto by : dimensions) {
    if (by != GroupBy::kPort) {
      words.push_back(name_in(flow, by));
      continue;
    }
    const auto port = server_port(flow);
    words.push_back(std::to_string(flow.key.protocol) + (port ? ":" + std::to_string(*port) : ""));
  }
  return words;
}

std::vector<std::string> words_of(const FlowGroup& group, const std::vector<GroupBy>& dimensions) {
  auto words = group.names;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (dimensions[i] != GroupBy::kPort) continue;
    words[i] =
        std::to_string(group.protocol) + (group.port ? ":" + std::to_string(*group.port) : "");
  }
  return words;
}

// A list of flows for each group, and sums by going over it: slow, and nothing to get wrong.
class Naive {
 public:
  Naive(const std::vector<Flow>& flows, const std::vector<GroupBy>& dimensions) {
    std::vector<const Flow*> tcp;
    for (const auto& flow : flows) {
      const auto words = words_of(flow, dimensions);
      auto& sums = groups[words];
      ++sums.flows;
      auto& moved = flow.key.direction == Direction::kEgress ? sums.sent : sums.received;
      moved.packets += flow.packets;
      moved.bytes += flow.bytes;
      moved.payload_bytes += flow.payload_bytes;
      const bool first = sums.flows == 1;
      sums.first_seen_ns =
          first ? flow.first_seen_ns : std::min(sums.first_seen_ns, flow.first_seen_ns);
      sums.last_seen_ns = std::max(sums.last_seen_ns, flow.last_seen_ns);
      if (flow.socket.rtt_us > 0) {
        if (sums.smallest_rtt_us == 0 || flow.socket.rtt_us < sums.smallest_rtt_us) {
          sums.smallest_rtt_us = flow.socket.rtt_us;
        }
        sums.largest_rtt_us = std::max(sums.largest_rtt_us, flow.socket.rtt_us);
      }
      if (flow.key.protocol == IPPROTO_TCP) tcp.push_back(&flow);
    }
    std::vector<bool> counted(tcp.size());
    for (std::size_t i = 0; i < tcp.size(); ++i) {
      if (counted[i]) continue;
      Flow all = *tcp[i];
      bool established = false;
      bool failed = false;
      bool reset = false;
      for (std::size_t k = i; k < tcp.size(); ++k) {
        if (!same_connection(tcp[i]->key, tcp[k]->key)) continue;
        counted[k] = true;
        all.socket.retransmits = std::max(all.socket.retransmits, tcp[k]->socket.retransmits);
        established = established || has_verdict(*tcp[k], Verdict::kEstablished);
        failed = failed || has_verdict(*tcp[k], Verdict::kFailed);
        reset = reset || has_verdict(*tcp[k], Verdict::kReset);
      }
      auto& sums = groups[words_of(*tcp[i], dimensions)];
      ++sums.connections;
      sums.retransmits += all.socket.retransmits;
      if (reset) ++sums.reset;
      if (failed || reset) ++sums.failed;
      if (established && !failed && !reset) ++sums.established;
    }
  }

  std::map<std::vector<std::string>, FlowSums> groups;

 private:
  static bool same_connection(const FlowKey& a, const FlowKey& b) {
    if (a.socket != b.socket) return false;
    if (a.direction == b.direction) return a == b;
    return a.src == b.dst && a.dst == b.src && a.src_port == b.dst_port && a.dst_port == b.src_port;
  }
};

class FlowGroupsProperty : public ::testing::TestWithParam<unsigned> {};

TEST_P(FlowGroupsProperty, AreExactForAnyDimensionsAndAnyLimit) {
  RandomFlows random(GetParam());
  std::vector<Flow> flows(random.below(400));
  for (auto& flow : flows) flow = random.next();
  const auto view = view_of(flows);
  for (int round = 0; round < 20; ++round) {
    const auto dimensions = random.dimensions();
    const auto sort = static_cast<FlowSort>(random.below(5));
    const Naive naive(flows, dimensions);
    const auto limit = random.below(naive.groups.size() + 2);
    const auto answer = group_flows({view, {}}, {}, dimensions, sort, limit);
    EXPECT_EQ(answer.matched, flows.size());
    EXPECT_EQ(answer.groups.size() + answer.other_groups, naive.groups.size());
    auto rest = naive.groups;
    for (const auto& group : answer.groups) {
      const auto found = rest.find(words_of(group, dimensions));
      ASSERT_NE(found, rest.end()) << "there twice, or of no flow";
      EXPECT_EQ(group.sums, found->second);
      rest.erase(found);
    }
    FlowSums others;
    for (const auto& [words, sums] : rest) others.add(sums);
    EXPECT_EQ(answer.others, others);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FlowGroupsProperty, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace orb8
