// SPDX-License-Identifier: Apache-2.0
#include "core/source/resumed_flows.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace orb8 {
namespace {

FlowKey key_of(std::uint64_t cookie) {
  return {.src = Addr::v4(10, 0, 0, 1),
          .dst = Addr::v4(10, 0, 0, 2),
          .src_port = 5000,
          .dst_port = 80,
          .protocol = IPPROTO_TCP,
          .socket = cookie};
}

ToldFlow told(std::uint64_t cookie, std::uint64_t incarnation, std::uint64_t packets) {
  return {.key = key_of(cookie),
          .told = {.incarnation = incarnation,
                   .packets = packets,
                   .bytes = 100 * packets,
                   .payload_bytes = 50 * packets},
          .life = FlowLife::kOpen};
}

FlowRecord record(std::uint64_t cookie, std::uint64_t incarnation, std::uint64_t packets) {
  FlowRecord record;
  record.key = key_of(cookie);
  record.life = FlowLife::kOpen;
  record.incarnation = incarnation;
  record.packets = packets;
  record.bytes = 100 * packets;
  record.payload_bytes = 50 * packets;
  return record;
}

std::uint64_t left_of(ResumedFlows& flows, FlowRecord one) {
  flows.take_off(one);
  EXPECT_EQ(one.bytes, 100 * one.packets);
  EXPECT_EQ(one.payload_bytes, 50 * one.packets);
  return one.packets;
}

TEST(ResumedFlows, GoOnFromAllThatWasToldBefore) {
  ResumedFlows flows;
  flows.add(told(1, 9, 5));
  EXPECT_EQ(left_of(flows, record(1, 9, 7)), 2U);
  flows.add(told(1, 9, 2));  // it came back, and was forgotten once more
  EXPECT_EQ(left_of(flows, record(1, 9, 8)), 1U);
  EXPECT_EQ(left_of(flows, record(2, 9, 8)), 8U) << "another socket's";
}

TEST(ResumedFlows, HaveSentAgainWhatTheyDidSinceTheyWereForgotten) {
  ResumedFlows flows;
  auto before = told(1, 9, 5);
  before.told.retransmits = 3;
  before.told.retransmitted_bytes = 300;
  flows.add(before);
  auto one = record(1, 9, 9);
  one.socket.retransmits = 4;
  one.socket.retransmitted_bytes = 350;
  flows.take_off(one);
  EXPECT_EQ(one.socket.retransmits, 1U);
  EXPECT_EQ(one.socket.retransmitted_bytes, 50U);
}

TEST(ResumedFlows, OfASocketThatWasOpenedAnewBeginFromNothing) {
  ResumedFlows flows;
  flows.add(told(1, 9, 5));
  EXPECT_EQ(left_of(flows, record(1, 10, 3)), 3U);
  flows.add(told(1, 10, 3));
  EXPECT_EQ(left_of(flows, record(1, 10, 4)), 1U);
}

TEST(ResumedFlows, AreGoneWithTheLastRecordOfTheirSocket) {
  ResumedFlows flows;
  flows.add(told(1, 9, 5));
  auto last = record(1, 9, 7);
  last.life = FlowLife::kClosed;
  EXPECT_EQ(left_of(flows, last), 2U);
  EXPECT_EQ(flows.size(), 0U);
}

TEST(ResumedFlows, AreGoneWhereTheirSocketIsGoneWithoutAWord) {
  ResumedFlows flows;
  flows.add(told(1, 9, 5));
  flows.add(told(2, 9, 5));
  flows.keep_only(LivingSockets({2, 3}));
  EXPECT_EQ(flows.size(), 1U);
  EXPECT_EQ(left_of(flows, record(2, 9, 7)), 2U);
}

}  // namespace
}  // namespace orb8
