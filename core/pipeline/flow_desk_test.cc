// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/flow_desk.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <thread>
#include <vector>

namespace orb8 {
namespace {

FlowOwners nobody(const FlowRecord& /*record*/) {
  return {};
}

FlowRecord packets_of(std::uint16_t port, std::uint64_t packets) {
  return {.key = {.src_port = port}, .packets = packets, .incarnation = 1};
}

std::uint64_t all_packets(const FlowSnapshot& flows) {
  std::uint64_t sum = 0;
  flows.for_each([&](const Flow& flow) { sum += flow.packets; });
  return sum;
}

TEST(FlowDesk, GivesTheFlowsAsTheyAreWhenAsked) {
  FlowTable table({});
  std::binary_semaphore woken(0);
  FlowDesk desk([&] { woken.release(); });
  EXPECT_FALSE(desk.wanted());
  std::uint64_t seen = 0;
  std::jthread reader([&] { seen = all_packets(*desk.ask().live); });
  woken.acquire();
  EXPECT_TRUE(desk.wanted());
  table.apply(packets_of(1, 7), nobody);
  desk.answer([&](bool /*history*/) { return FlowView{.live = table.share()}; });
  reader.join();
  EXPECT_EQ(seen, 7U);
  EXPECT_FALSE(desk.wanted());
}

TEST(FlowDesk, AsksForTheHistoryWhereAReaderDoes) {
  FlowTable table({});
  FlowHistory history({}, 0);
  history.add({}, EndReason::kIdle, 1);
  std::binary_semaphore woken(0);
  FlowDesk desk([&] { woken.release(); });
  for (const bool wanted : {false, true, false}) {
    FlowView got;
    std::jthread reader([&] { got = desk.ask(wanted); });
    woken.acquire();
    bool asked = false;
    desk.answer([&](bool with_history) {
      asked = with_history;
      return FlowView{.live = table.share(), .history = with_history ? history.share() : nullptr};
    });
    reader.join();
    EXPECT_EQ(asked, wanted);
    EXPECT_EQ(got.history != nullptr, wanted);
  }
}

// What is made for one reader may lack what another wants, and is older than his question.
TEST(FlowDesk, ServesWhoAsksWhileAnAnswerIsMadeWithTheNext) {
  FlowTable table({});
  FlowHistory history({}, 0);
  std::counting_semaphore<2> woken(0);
  FlowDesk desk([&] { woken.release(); });
  const auto take = [&](bool with_history) {
    return FlowView{.live = table.share(), .history = with_history ? history.share() : nullptr};
  };
  FlowView late;
  std::jthread second;
  std::jthread first([&] { (void)desk.ask(); });
  woken.acquire();
  desk.answer([&](bool with_history) {
    second = std::jthread([&] { late = desk.ask(true); });
    woken.acquire();
    return take(with_history);
  });
  first.join();
  EXPECT_TRUE(desk.wanted());
  desk.answer(take);
  second.join();
  EXPECT_TRUE(late.history);
}

TEST(FlowDesk, KeepsNothingWhenAllHaveTakenTheirs) {
  FlowTable table({});
  table.apply(packets_of(1, 7), nobody);
  std::counting_semaphore<8> woken(0);
  FlowDesk desk([&] { woken.release(); });
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 8; ++i) readers.emplace_back([&] { (void)desk.ask(); });
    for (int i = 0; i < 8; ++i) woken.acquire();
    desk.answer([&](bool /*history*/) { return FlowView{.live = table.share()}; });
  }
  const std::weak_ptr<const FlowSnapshot> again = table.share();
  EXPECT_TRUE(again.expired());
}

TEST(FlowDesk, GivesTheLastFlowsForEverOnceFinished) {
  FlowTable table({});
  table.apply(packets_of(1, 7), nobody);
  std::binary_semaphore woken(0);
  FlowDesk desk([&] { woken.release(); });
  std::uint64_t waited = 0;
  std::jthread reader([&] { waited = all_packets(*desk.ask().live); });
  woken.acquire();
  desk.finish({.live = table.share()});
  reader.join();
  EXPECT_EQ(waited, 7U);
  EXPECT_EQ(all_packets(*desk.ask().live), 7U);
}

TEST(FlowDesk, ServesReadersWhileTheTableIsWritten) {
  constexpr std::uint16_t kFlows = 500;
  FlowTable table({.max_flows = kFlows});
  FlowDesk desk([] {});
  std::atomic<int> reading = 2;
  // Every flow of a snapshot has the same count: a reader that sees two is reading a moving page.
  const auto read = [&] {
    for (int i = 0; i < 200; ++i) {
      std::uint64_t first = 0;
      desk.ask().live->for_each([&](const Flow& row) {
        if (first == 0) first = row.packets;
        EXPECT_EQ(row.packets, first);
      });
    }
    --reading;
  };
  std::jthread one(read);
  std::jthread two(read);
  for (std::uint64_t round = 1; reading != 0; ++round) {
    for (std::uint16_t n = 0; n < kFlows; ++n) table.apply(packets_of(n, round), nobody);
    if (desk.wanted())
      desk.answer([&](bool /*history*/) { return FlowView{.live = table.share()}; });
  }
}

}  // namespace
}  // namespace orb8
