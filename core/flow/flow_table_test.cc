// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <map>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

FlowKey flow(unsigned n) {
  return {.src = Addr::v4(10, static_cast<std::uint8_t>(n >> 16U),
                          static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)),
          .dst = Addr::v4(10, 255, 0, 1),
          .src_port = 4242,
          .dst_port = 80,
          .protocol = IPPROTO_TCP,
          .direction = Direction::kEgress};
}

FlowRecord record(unsigned n, std::uint64_t packets, std::int64_t at = kStart,
                  std::uint64_t incarnation = 1) {
  return {.key = flow(n),
          .packets = packets,
          .bytes = 100 * packets,
          .incarnation = incarnation,
          .first_seen_ns = at,
          .last_seen_ns = at};
}

FlowOwners nobody(const FlowRecord& /*record*/) {
  return {};
}

class FlowTableTest : public ::testing::Test {
 protected:
  FlowTable::Change apply(const FlowRecord& record) { return table_.apply(record, nobody); }

  std::vector<FlowKey> due(std::int64_t now_ns, FlowTable::Due which = FlowTable::Due::kAll) {
    std::vector<FlowKey> keys;
    for (const auto& flow : table_.due(now_ns, which)) keys.push_back(flow.key);
    return keys;
  }

  std::map<unsigned, Flow> published() {
    std::map<unsigned, Flow> flows;
    table_.share()->for_each([&](const Flow& row) {
      const auto& a = row.key.src.bytes;
      flows[static_cast<unsigned>(a[13] << 16 | a[14] << 8 | a[15])] = row;
    });
    return flows;
  }

  FlowTable table_{{.max_flows = 3, .idle_timeout_ns = 30 * kSecond}};
};

TEST_F(FlowTableTest, TakesDifferencesOfCumulativeCounters) {
  const auto first = apply(record(1, 10));
  EXPECT_TRUE(first.started);
  EXPECT_EQ(first.packets, 10U);
  const auto second = apply(record(1, 15, kStart + kSecond));
  EXPECT_FALSE(second.started);
  EXPECT_EQ(second.packets, 5U);
  EXPECT_EQ(second.bytes, 500U);
  EXPECT_EQ(second.flow->packets, 15U);
  EXPECT_EQ(second.flow->first_seen_ns, kStart);
  EXPECT_EQ(second.flow->last_seen_ns, kStart + kSecond);
}

TEST_F(FlowTableTest, KeepsTheBeginningOfAFlowWhoseRecordsDifferInItByNanoseconds) {
  apply(record(1, 10));
  auto later = record(1, 15, kStart + kSecond);
  later.first_seen_ns = kStart - 7;
  EXPECT_EQ(apply(later).flow->first_seen_ns, kStart) << "records are told apart by it";
  auto spilled = record(1, 1, kStart + 2 * kSecond, 0);
  spilled.first_seen_ns = kStart - kSecond;
  EXPECT_EQ(apply(spilled).flow->first_seen_ns, kStart - kSecond) << "it came late";
}

TEST_F(FlowTableTest, AddsANewIncarnationToWhatTheOldOneCounted) {
  apply(record(1, 10, kStart, 1));
  EXPECT_EQ(apply(record(1, 4, kStart, 2)).packets, 4U);
  EXPECT_EQ(apply(record(1, 6, kStart, 2)).packets, 2U);
  EXPECT_EQ(published().at(1).packets, 16U);
}

TEST_F(FlowTableTest, AddsIncrementsBesideTheCumulativeCounters) {
  apply(record(1, 10, kStart, 7));
  EXPECT_EQ(apply(record(1, 1, kStart, 0)).packets, 1U);
  EXPECT_EQ(apply(record(1, 1, kStart, 0)).packets, 1U);
  EXPECT_EQ(apply(record(1, 12, kStart, 7)).packets, 2U);
  EXPECT_EQ(published().at(1).packets, 14U);
}

TEST_F(FlowTableTest, MakesNoFlowOfARecordThatMovedNothing) {
  EXPECT_EQ(apply(record(1, 0)).flow, nullptr);
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(FlowTableTest, DoesNotUnderflowWhenACounterGoesBack) {
  apply(record(1, 10));
  EXPECT_EQ(apply(record(1, 9)).packets, 0U);
  EXPECT_EQ(published().at(1).packets, 10U);
}

TEST_F(FlowTableTest, IsNotRefreshedByARecordThatMovedNothing) {
  apply(record(1, 10));
  apply(record(1, 10, kStart + 29 * kSecond));
  EXPECT_EQ(published().at(1).last_seen_ns, kStart);
  EXPECT_THAT(due(kStart + 30 * kSecond), ElementsAre(flow(1)));
}

TEST_F(FlowTableTest, ResolvesOwnersOnce) {
  int asked = 0;
  const auto resolve = [&](const FlowRecord&) {
    ++asked;
    return FlowOwners{
        .src = std::make_shared<const Endpoint>(Endpoint{EndpointKind::kPod, "shop", "web-0"}),
        .dst = nullptr};
  };
  table_.apply(record(1, 1), resolve);
  table_.apply(record(1, 2), resolve);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(published().at(1).owners->src->name, "web-0");
}

TEST_F(FlowTableTest, PushesOutTheOneThatHasNotMovedForLongest) {
  apply(record(1, 1));
  apply(record(2, 1));
  apply(record(3, 1));
  apply(record(1, 2));  // 2 is the oldest now
  apply(record(4, 1));
  const auto evicted = table_.take_evicted();
  ASSERT_EQ(evicted.size(), 1U);
  EXPECT_EQ(evicted[0].flow.key, flow(2));
  EXPECT_EQ(evicted[0].reason, EndReason::kEvicted);
  EXPECT_EQ(table_.evicted(), 1U);
  EXPECT_EQ(table_.size(), 3U);
  EXPECT_THAT(table_.take_evicted(), IsEmpty());
}

TEST_F(FlowTableTest, EndsAnIdleFlowAfterItsTime) {
  apply(record(1, 1));
  EXPECT_THAT(due(kStart + 30 * kSecond - 1), IsEmpty());
  EXPECT_THAT(due(kStart + 30 * kSecond), ElementsAre(flow(1)));
  const auto ended = table_.end(flow(1), kStart + 30 * kSecond).value_or(FlowTable::Ended{});
  EXPECT_EQ(ended.reason, EndReason::kIdle);
  EXPECT_EQ(ended.flow.packets, 1U);
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_EQ(table_.expired(), 1U);
}

TEST_F(FlowTableTest, KeepsAFlowThatMovedBetweenDueAndEnd) {
  apply(record(1, 1));
  const auto late = kStart + 40 * kSecond;
  ASSERT_THAT(due(late), ElementsAre(flow(1)));
  apply(record(1, 2, late));  // the kernel's last word
  EXPECT_FALSE(table_.end(flow(1), late));
  EXPECT_EQ(published().at(1).packets, 2U);
}

TEST_F(FlowTableTest, EndsAClosedConnectionSoonerThanAnIdleOne) {
  auto closing = record(1, 5);
  closing.tcp_flags = kTcpAck | kTcpFin;
  apply(closing);
  apply(record(2, 5));
  EXPECT_THAT(due(kStart + kSecond), IsEmpty());
  EXPECT_THAT(due(kStart + 2 * kSecond), ElementsAre(flow(1)));
  const auto ended = table_.end(flow(1), kStart + 2 * kSecond).value_or(FlowTable::Ended{});
  EXPECT_EQ(ended.reason, EndReason::kClosed);
  EXPECT_THAT(due(kStart + 3 * kSecond), IsEmpty());
}

TEST_F(FlowTableTest, FindsIdleFlowsBehindClosedOnes) {
  auto closing = record(1, 5);
  closing.tcp_flags = kTcpRst;
  apply(closing);
  apply(record(2, 5));
  EXPECT_THAT(due(kStart + 31 * kSecond), UnorderedElementsAre(flow(1), flow(2)));
}

TEST_F(FlowTableTest, CollectsTcpFlagsOverTheFlowsLife) {
  auto one = record(1, 1);
  one.tcp_flags = kTcpSyn;
  apply(one);
  auto two = record(1, 2);
  two.tcp_flags = kTcpAck | kTcpPsh;
  apply(two);
  EXPECT_EQ(published().at(1).tcp_flags, kTcpSyn | kTcpAck | kTcpPsh);
}

TEST_F(FlowTableTest, HoldsOneFlowWhenToldToHoldNone) {
  FlowTable table({.max_flows = 0});
  table.apply(record(1, 1), nobody);
  table.apply(record(2, 1), nobody);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.evicted(), 1U);
}

TEST_F(FlowTableTest, CountsOnceWhatALaterReadingOvertook) {
  apply(record(1, 10));
  apply(record(1, 8));
  EXPECT_EQ(apply(record(1, 11)).packets, 1U);
  EXPECT_EQ(published().at(1).packets, 11U);
}

TEST_F(FlowTableTest, TakesALateRecordWithoutGoingBackInTime) {
  apply(record(1, 10, kStart + 5 * kSecond));
  auto late = record(1, 1, kStart, 0);
  EXPECT_EQ(apply(late).packets, 1U);
  EXPECT_EQ(published().at(1).first_seen_ns, kStart);
  EXPECT_EQ(published().at(1).last_seen_ns, kStart + 5 * kSecond);
}

TEST_F(FlowTableTest, KeepsTheFlowThatMovesWhenTheClockJumpsAhead) {
  apply(record(1, 1));
  apply(record(2, 1));
  const auto ahead = kStart + 3600 * kSecond;
  apply(record(1, 2, ahead));
  EXPECT_THAT(due(ahead), ElementsAre(flow(2)));
}

TEST_F(FlowTableTest, EndsFlowsInTimeWhenTheClockWasSetBack) {
  auto closing = record(3, 1, kStart + 3600 * kSecond);
  closing.tcp_flags = kTcpFin;
  apply(closing);
  apply(record(1, 1, kStart + 3600 * kSecond));
  EXPECT_THAT(due(kStart + 3600 * kSecond), IsEmpty());
  // An hour back: those seen "in the future" must not hold up those behind them, nor stay an hour.
  apply(record(2, 1, kStart));
  EXPECT_THAT(due(kStart + kSecond), IsEmpty());
  EXPECT_THAT(due(kStart + 4 * kSecond), ElementsAre(flow(3)));
  EXPECT_THAT(due(kStart + 31 * kSecond), UnorderedElementsAre(flow(1), flow(2), flow(3)));
  EXPECT_LE(published().at(1).first_seen_ns, published().at(1).last_seen_ns);
}

FlowRecord socket_record(unsigned n, std::uint64_t packets, FlowLife life,
                         std::int64_t at = kStart) {
  auto of_socket = record(n, packets, at);
  of_socket.life = life;
  of_socket.pid = 100 + n;
  return of_socket;
}

TEST_F(FlowTableTest, KeepsWhatHasAnOpenSocketHoweverSilent) {
  apply(socket_record(1, 5, FlowLife::kOpen));
  apply(record(2, 5));
  EXPECT_THAT(due(kStart + 3600 * kSecond), ElementsAre(flow(2)));
}

TEST_F(FlowTableTest, EndsWhatIsClosedAfterAShortWhile) {
  apply(socket_record(1, 5, FlowLife::kOpen));
  const auto change = apply(socket_record(1, 5, FlowLife::kClosed, kStart + kSecond));
  EXPECT_TRUE(change.closed) << "though nothing moved";
  EXPECT_FALSE(apply(socket_record(1, 5, FlowLife::kClosed, kStart + kSecond)).closed);
  EXPECT_THAT(due(kStart + 2 * kSecond), IsEmpty());
  ASSERT_THAT(due(kStart + 3 * kSecond, FlowTable::Due::kClosed), ElementsAre(flow(1)));
  EXPECT_EQ(table_.end(flow(1), kStart + 3 * kSecond)->reason, EndReason::kClosed);
}

TEST_F(FlowTableTest, PushesOutWhatIsOverFirstAndOpenSocketsLast) {
  apply(socket_record(1, 1, FlowLife::kOpen, kStart));
  apply(record(2, 1, kStart + kSecond));
  apply(socket_record(3, 1, FlowLife::kClosed, kStart + 2 * kSecond));
  const auto pushed_out = [&](unsigned newcomer) {
    apply(socket_record(newcomer, 1, FlowLife::kOpen, kStart + 3 * kSecond));
    const auto evicted = table_.take_evicted();
    return evicted.size() == 1 ? evicted.front() : FlowTable::Ended{};
  };
  const auto first = pushed_out(4);
  EXPECT_EQ(first.flow.key, flow(3));
  EXPECT_EQ(first.reason, EndReason::kClosed);
  EXPECT_EQ(table_.evicted(), 0U) << "what is over is no loss";
  const auto second = pushed_out(5);
  EXPECT_EQ(second.flow.key, flow(2));
  EXPECT_EQ(second.reason, EndReason::kEvicted);
  EXPECT_EQ(pushed_out(6).flow.key, flow(1)) << "the open one that was silent for longest";
  EXPECT_EQ(table_.evicted(), 2U);
}

TEST_F(FlowTableTest, CountsWhatASocketSentAgainSinceItWasOpened) {
  auto said = socket_record(1, 5, FlowLife::kOpen);
  said.socket.retransmits = 2;
  EXPECT_EQ(apply(said).retransmits, 2U);
  said.socket.retransmits = 5;
  EXPECT_EQ(apply(said).retransmits, 3U);
  said.incarnation = 2;  // connected anew: the kernel counts from nothing
  said.socket.retransmits = 4;
  EXPECT_EQ(apply(said).retransmits, 4U);
}

TEST_F(FlowTableTest, TellsWhatTheSourceHadSaidOfAFlow) {
  auto said = socket_record(1, 5, FlowLife::kOpen);
  said.payload_bytes = 77;
  said.socket.retransmits = 2;
  said.socket.retransmitted_bytes = 200;
  apply(said);
  const auto told = table_.told(flow(1));
  EXPECT_EQ(told.packets, 5U);
  EXPECT_EQ(told.bytes, 500U);
  EXPECT_EQ(told.payload_bytes, 77U);
  EXPECT_EQ(told.retransmits, 2U);
  EXPECT_EQ(told.retransmitted_bytes, 200U);
  EXPECT_EQ(told.incarnation, 1U);
  EXPECT_EQ(table_.told(flow(2)).packets, 0U);
}

TEST_F(FlowTableTest, TakesBackPayloadThatAReadingHadTooMuch) {
  auto said = socket_record(1, 5, FlowLife::kOpen);
  said.payload_bytes = 17;  // read while a FIN was on its way: it passed for a byte
  apply(said);
  auto last = socket_record(1, 5, FlowLife::kClosed);
  last.payload_bytes = 16;
  apply(last);
  EXPECT_EQ(published().at(1).payload_bytes, 16U);
  auto overtaken = socket_record(1, 4, FlowLife::kClosed);
  overtaken.payload_bytes = 12;
  apply(overtaken);
  EXPECT_EQ(published().at(1).payload_bytes, 16U);
}

TEST_F(FlowTableTest, AddsTheLastWordToAFlowThatIsOutOfTheTable) {
  auto said = socket_record(1, 5, FlowLife::kOpen);
  said.payload_bytes = 50;
  apply(said);
  for (const unsigned n : {2, 3, 4}) apply(socket_record(n, 1, FlowLife::kOpen));
  auto evicted = table_.take_evicted();
  ASSERT_EQ(evicted.size(), 1U);
  auto last = socket_record(1, 8, FlowLife::kClosed);
  last.payload_bytes = 90;
  evicted.front().add_last(last);
  EXPECT_EQ(evicted.front().flow.packets, 8U);
  EXPECT_EQ(evicted.front().flow.bytes, 800U);
  EXPECT_EQ(evicted.front().flow.payload_bytes, 90U);
}

TEST_F(FlowTableTest, AsksForTheOwnerAgainWhenAnotherProcessHasTheSocket) {
  const auto owner_of = [](const FlowRecord& from) {
    auto owner = std::make_shared<Owner>();
    owner->pid = from.pid;
    return FlowOwners{.src = {}, .dst = {}, .local = owner};
  };
  auto seen = socket_record(1, 5, FlowLife::kOpen);
  table_.apply(seen, owner_of);
  seen.pid = 4711;
  table_.apply(seen, owner_of);
  EXPECT_EQ(published().at(1).owners->local->pid, 4711U);
}

FlowRecord end_of(const Addr& addr, Direction direction, std::uint64_t socket, std::uint32_t netns,
                  std::int64_t at = kStart) {
  FlowRecord end{.key = {.src = addr,
                         .dst = addr,
                         .src_port = 40000,
                         .dst_port = 80,
                         .protocol = IPPROTO_TCP,
                         .direction = direction,
                         .socket = socket},
                 .life = FlowLife::kOpen,
                 .packets = 1,
                 .incarnation = 1,
                 .first_seen_ns = at,
                 .last_seen_ns = at};
  end.socket.netns = netns;
  return end;
}

constexpr std::uint32_t kHere = 7;
constexpr std::uint32_t kElsewhere = 8;

class FlowTableEndsTest : public FlowTableTest {
 protected:
  // The socket at the other end; 0: none.
  std::uint64_t other(const FlowRecord& end) const {
    const auto* found = table_.other_end(end.key, end.socket.netns, end.first_seen_ns);
    return found == nullptr ? 0 : found->key.socket;
  }
  const Addr node_ = Addr::v4(192, 168, 0, 1);
  const Addr loopback_ = Addr::v4(127, 0, 0, 1);
};

TEST_F(FlowTableEndsTest, FindEachOtherAcrossNamespaces) {
  const auto sent = end_of(node_, Direction::kEgress, 1, kHere);
  const auto received = end_of(node_, Direction::kIngress, 2, kElsewhere);
  apply(sent);
  EXPECT_EQ(other(sent), 0U);
  EXPECT_EQ(other(received), 1U);
  apply(received);
  EXPECT_EQ(other(sent), 2U);
}

TEST_F(FlowTableEndsTest, FindEachOtherOnLoopbackWithinANamespaceOnly) {
  const auto sent = end_of(loopback_, Direction::kEgress, 1, kHere);
  apply(sent);
  apply(end_of(loopback_, Direction::kIngress, 2, kElsewhere));
  EXPECT_EQ(other(sent), 0U);
  apply(end_of(loopback_, Direction::kIngress, 3, kHere));
  EXPECT_EQ(other(sent), 3U);
}

TEST_F(FlowTableEndsTest, AreNotOneSocketThatTalksToItself) {
  const auto sent = end_of(loopback_, Direction::kEgress, 1, kHere);
  apply(sent);
  apply(end_of(loopback_, Direction::kIngress, 1, kHere));
  EXPECT_EQ(other(sent), 0U);
}

TEST_F(FlowTableEndsTest, AreThoseThatBeganTogetherWherePortsAreUsedAgain) {
  apply(end_of(node_, Direction::kIngress, 2, kHere));
  apply(end_of(node_, Direction::kIngress, 4, kHere, kStart + kSecond));
  EXPECT_EQ(other(end_of(node_, Direction::kEgress, 1, kHere, kStart + 1000)), 2U);
  EXPECT_EQ(other(end_of(node_, Direction::kEgress, 3, kHere, kStart + kSecond - 1000)), 4U);
}

}  // namespace
}  // namespace orb8
