// SPDX-License-Identifier: Apache-2.0
#include "core/flow/stream_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

Event event(std::uint64_t number, EventKind kind = EventKind::kFlowUpdate) {
  Event made;
  made.kind = kind;
  made.packets = number;
  made.flow.key.src_port = static_cast<std::uint16_t>(number);
  return made;
}

std::vector<std::uint64_t> numbers(const Subscription::Batch& batch) {
  std::vector<std::uint64_t> all;
  all.reserve(batch.events.size());
  for (const auto& one : batch.events) all.push_back(one.packets);
  return all;
}

TEST(StreamHub, NumbersEventsInTheOrderOfTheirPublishing) {
  StreamHub hub(1);
  hub.publish(event(1));
  auto subscription = *hub.subscribe({});
  hub.publish(event(2));
  hub.publish(event(3));
  const auto batch = subscription.next(std::chrono::seconds(1));
  EXPECT_EQ(batch.events.at(0).number, 2U);
  EXPECT_EQ(batch.events.at(1).number, 3U);
  EXPECT_EQ(hub.published(), 3U);
}

TEST(StreamHub, BringsEachEventToEachSubscriber) {
  StreamHub hub(10);
  auto one = *hub.subscribe({});
  auto two = *hub.subscribe({});
  hub.publish(event(1));
  hub.publish(event(2));
  EXPECT_THAT(numbers(one.next(0ms)), ElementsAre(1, 2));
  EXPECT_THAT(numbers(two.next(0ms)), ElementsAre(1, 2));
  EXPECT_THAT(one.next(0ms).events, IsEmpty());
}

TEST(StreamHub, KeepsPacketsAndFlowsApart) {
  StreamHub hub(10);
  auto flows = *hub.subscribe({});
  auto packets = *hub.subscribe({.packets = true});
  hub.publish(event(1));
  hub.publish(event(2, EventKind::kPacket));
  EXPECT_THAT(numbers(flows.next(0ms)), ElementsAre(1));
  EXPECT_THAT(numbers(packets.next(0ms)), ElementsAre(2));
}

TEST(StreamHub, FiltersForEachSubscriber) {
  StreamHub hub(10);
  auto subscription = *hub.subscribe({.selection = {.all = {.either = {.ports = {{2, 2}}}}}});
  hub.publish(event(1));
  hub.publish(event(2));
  EXPECT_THAT(numbers(subscription.next(0ms)), ElementsAre(2));
}

TEST(StreamHub, DropsTheOldestOfASlowReaderAndOfNobodyElse) {
  StreamHub hub(10);
  auto slow = *hub.subscribe({.capacity = 2});
  auto fast = *hub.subscribe({.capacity = 100});
  for (std::uint64_t i = 1; i <= 5; ++i) hub.publish(event(i));
  const auto batch = slow.next(0ms);
  EXPECT_THAT(numbers(batch), ElementsAre(4, 5));
  EXPECT_EQ(batch.dropped_before, 3U);
  EXPECT_EQ(slow.next(0ms).dropped_before, 0U) << "told once";
  EXPECT_EQ(slow.dropped(), 3U);
  EXPECT_EQ(hub.dropped(), 3U);
  EXPECT_THAT(fast.next(0ms).events, SizeIs(5));
  EXPECT_EQ(fast.dropped(), 0U);
}

TEST(StreamHub, KeepsQueuedWhatASubscriberDoesNotTakeAtOnce) {
  StreamHub hub(8);
  auto subscription = *hub.subscribe({.capacity = 3});
  for (std::uint64_t i = 1; i <= 3; ++i) hub.publish(event(i));
  EXPECT_THAT(numbers(subscription.next(0ms, {}, 2)), ElementsAre(1, 2));
  for (std::uint64_t i = 4; i <= 6; ++i) hub.publish(event(i));
  hub.close();
  const auto some = subscription.next(0ms, {}, 2);
  EXPECT_THAT(numbers(some), ElementsAre(4, 5));
  EXPECT_EQ(some.dropped_before, 1U);
  EXPECT_FALSE(some.ended) << "there is one more";
  const auto last = subscription.next(0ms, {}, 2);
  EXPECT_THAT(numbers(last), ElementsAre(6));
  EXPECT_TRUE(last.ended);
}

TEST(StreamHub, RefusesMoreSubscribersThanItsBound) {
  StreamHub hub(1);
  std::optional<Subscription> one = *hub.subscribe({});
  const auto two = hub.subscribe({});
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().code, Errc::kExhausted);
  EXPECT_EQ(two.error().what, "all 1 streams are taken: end one, or raise max_streams");
  one.reset();
  EXPECT_TRUE(hub.subscribe({}));
}

TEST(StreamHub, WantsFlowsOnlyWhileSomebodyListensToFlows) {
  StreamHub hub(10);
  EXPECT_FALSE(hub.wants(EventKind::kFlowUpdate));
  auto packets = *hub.subscribe({.packets = true});
  EXPECT_FALSE(hub.wants(EventKind::kFlowUpdate));
  {
    auto flows = *hub.subscribe({});
    EXPECT_TRUE(hub.wants(EventKind::kFlowUpdate));
  }
  EXPECT_FALSE(hub.wants(EventKind::kFlowUpdate));
}

TEST(StreamHub, QueuesOnlyTheKindsThatAreWanted) {
  StreamHub hub(10);
  auto ends = *hub.subscribe({.kinds = kinds_of(EventKind::kFlowEnd), .capacity = 1});
  EXPECT_TRUE(hub.wants(EventKind::kFlowEnd));
  EXPECT_FALSE(hub.wants(EventKind::kFlowUpdate)) << "nobody has to prepare these";
  hub.publish(event(1, EventKind::kFlowEnd));
  hub.publish(event(2, EventKind::kFlowUpdate));
  hub.publish(event(3, EventKind::kFlowStart));
  const auto batch = ends.next(0ms);
  EXPECT_THAT(numbers(batch), ElementsAre(1));
  EXPECT_EQ(batch.dropped_before, 0U) << "what is not wanted pushes nothing out";
}

TEST(StreamHub, HasPlacesOfItsOwnForTheProgram) {
  StreamHub hub(1);
  auto own = *hub.subscribe({.own = true, .capacity = 1});
  auto client = *hub.subscribe({});
  EXPECT_TRUE(hub.subscribe({.own = true}));
  EXPECT_FALSE(hub.subscribe({}));
  EXPECT_EQ(hub.subscribers(), 1U);
  for (std::uint64_t i = 1; i <= 3; ++i) hub.publish(event(i));
  EXPECT_EQ(own.dropped(), 2U);
  EXPECT_EQ(hub.dropped(), 0U) << "no client lost anything";
}

TEST(StreamHub, TellsWhenPacketListenersComeAndGo) {
  StreamHub hub(10);
  int told = 0;
  hub.on_packet_change([&] { ++told; });
  const auto before = hub.packet_generation();
  {
    auto dns =
        *hub.subscribe({.selection = {.all = {.either = {.ports = {{53, 53}}}}}, .packets = true});
    auto again =
        *hub.subscribe({.selection = {.all = {.either = {.ports = {{53, 53}}}}}, .packets = true});
    EXPECT_THAT(hub.packet_filters(16), SizeIs(1)) << "the same once";
    EXPECT_EQ(hub.packet_filters(16)[0].ports, (PortRange{53, 53}));
  }
  EXPECT_EQ(told, 4);
  EXPECT_NE(hub.packet_generation(), before);
  EXPECT_THAT(hub.packet_filters(16), IsEmpty());
}

TEST(StreamHub, EndsStreamsBehindWhatIsQueued) {
  StreamHub hub(10);
  auto subscription = *hub.subscribe({});
  hub.publish(event(1));
  hub.close();
  const auto batch = subscription.next(10s);
  EXPECT_THAT(numbers(batch), ElementsAre(1));
  EXPECT_TRUE(batch.ended);
  EXPECT_EQ(hub.subscribe({}).error().code, Errc::kUnavailable);
}

TEST(StreamHub, TakesNothingOnceItIsClosed) {
  StreamHub hub(10);
  auto subscription = *hub.subscribe({});
  hub.close();
  EXPECT_TRUE(subscription.next(10s).ended);
  hub.publish(event(1));
  const auto batch = subscription.next(10s);
  EXPECT_THAT(batch.events, IsEmpty());
  EXPECT_TRUE(batch.ended);
}

TEST(StreamHub, UnsubscribesASubscriptionThatIsAssignedOver) {
  StreamHub hub(2);
  auto one = *hub.subscribe({.selection = {.all = {.either = {.ports = {{1, 1}}}}}});
  auto two =
      *hub.subscribe({.selection = {.all = {.either = {.ports = {{2, 2}}}}}, .packets = true});
  one = std::move(two);
  EXPECT_EQ(hub.subscribers(), 1U);
  EXPECT_FALSE(hub.wants(EventKind::kFlowUpdate));
  hub.publish(event(2, EventKind::kPacket));
  EXPECT_THAT(numbers(one.next(0ms)), ElementsAre(2));
}

TEST(StreamHub, QueuesOneEventAtLeast) {
  StreamHub hub(1);
  auto subscription = *hub.subscribe({.capacity = 0});
  hub.publish(event(1));
  hub.publish(event(2));
  EXPECT_THAT(numbers(subscription.next(0ms)), ElementsAre(2));
  EXPECT_EQ(subscription.dropped(), 1U);
}

TEST(StreamHub, WaitsForEverWithoutOverflow) {
  StreamHub hub(1);
  auto subscription = *hub.subscribe({});
  std::jthread publisher([&] { hub.publish(event(1)); });
  EXPECT_THAT(numbers(subscription.next(std::chrono::milliseconds::max())), ElementsAre(1));
}

TEST(StreamHub, AsksTheKernelForAllWhenItsListenersWantTooMuch) {
  StreamHub hub(10);
  auto one = *hub.subscribe(
      {.selection = {.all = {.either = {.ports = {{1, 1}, {2, 2}}}}}, .packets = true});
  auto two = *hub.subscribe(
      {.selection = {.all = {.either = {.ports = {{2, 2}, {3, 3}}}}}, .packets = true});
  auto flows = *hub.subscribe({.selection = {.all = {.either = {.ports = {{4, 4}}}}}});
  EXPECT_THAT(hub.packet_filters(3), SizeIs(3));
  EXPECT_THAT(hub.packet_filters(2), ElementsAre(PacketFilter{}));
}

TEST(StreamHub, MayGoBeforeItsSubscribers) {
  std::optional<Subscription> left;
  {
    StreamHub hub(10);
    hub.on_packet_change([] {});
    left = *hub.subscribe({.packets = true});
  }
  EXPECT_TRUE(left->next(10s).ended);
}

TEST(StreamHub, WakesAWaitingReaderForAnEventAStopAndAnEnd) {
  StreamHub hub(10);
  auto subscription = *hub.subscribe({});
  std::jthread publisher([&] { hub.publish(event(1)); });
  EXPECT_THAT(subscription.next(60s).events, SizeIs(1));
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_THAT(subscription.next(60s, stop.get_token()).events, IsEmpty());
  std::jthread closer([&] { hub.close(); });
  EXPECT_TRUE(subscription.next(60s).ended);
}

TEST(StreamHub, LosesNothingUncountedAmongThreads) {
  constexpr std::uint64_t kEvents = 20'000;
  StreamHub hub(100);
  std::atomic<bool> done = false;
  const auto listen = [&](std::size_t capacity) {
    auto subscription = *hub.subscribe({.capacity = capacity});
    std::uint64_t got = 0;
    std::uint64_t dropped = 0;
    for (bool ended = false; !ended;) {
      const auto batch = subscription.next(60s);
      got += batch.events.size();
      dropped += batch.dropped_before;
      ended = batch.ended;
    }
    EXPECT_EQ(got + dropped, kEvents);
  };
  std::jthread small([&] { listen(3); });
  std::jthread large([&] { listen(kEvents); });
  while (hub.subscribers() < 2) std::this_thread::yield();
  std::jthread comer([&] {
    while (!done.load()) {
      if (auto passing = hub.subscribe({.packets = true})) passing->next(0ms);
    }
  });
  for (std::uint64_t i = 0; i < kEvents; ++i) hub.publish(event(i));
  hub.close();
  done = true;
}

}  // namespace
}  // namespace orb8
