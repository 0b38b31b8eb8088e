// SPDX-License-Identifier: Apache-2.0
#include "core/metrics/flow_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace orb8 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

EndpointRef pod(const std::string& name_space, const std::string& workload,
                const std::string& uid = "") {
  return std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kPod,
                                                   .name_space = name_space,
                                                   .name = workload + "-0",
                                                   .uid = uid.empty() ? workload : uid,
                                                   .workload = workload});
}

// A flow from one to the other, told from others by its owners.
Flow sent(const EndpointRef& from, const EndpointRef& to, std::uint8_t protocol = IPPROTO_UDP) {
  Flow flow;
  flow.key = {.src = Addr::v4(10, 0, 0, 1),
              .dst = Addr::v4(10, 0, 0, 2),
              .protocol = protocol,
              .direction = Direction::kEgress};
  flow.owners = FlowOwners{.src = from, .dst = to};
  return flow;
}

Flow received(const EndpointRef& by, const EndpointRef& from, std::uint8_t protocol = IPPROTO_UDP) {
  auto flow = sent(from, by, protocol);
  flow.key.direction = Direction::kIngress;
  return flow;
}

std::string readable(const LabelSet& labels) {
  std::string text = labels;
  std::ranges::replace(text, '\0', '/');
  return text;
}

std::map<std::string, MeterCounters> rows_of(const MeterSnapshot& snapshot) {
  std::map<std::string, MeterCounters> rows;
  snapshot.for_each([&](const MeterRow& row) { rows[readable(*row.labels)] = row.counters; });
  return rows;
}

class FlowMeterTest : public ::testing::Test {
 protected:
  FlowMeterTest() { make(1000); }

  void make(std::size_t max_series) {
    meter_ = std::make_unique<FlowMeter>(FlowMeter::Options{.max_series = max_series});
    meter_->set_time(now_ns_, 0);
  }
  void pass(std::int64_t ns) { meter_->set_time(now_ns_ += ns, 0); }
  std::map<std::string, MeterCounters> rows() { return rows_of(*meter_->share()); }

  std::int64_t now_ns_ = 1000 * kSecond;
  std::unique_ptr<FlowMeter> meter_;
  EndpointRef web_ = pod("shop", "web");
  EndpointRef db_ = pod("data", "db");
};

TEST_F(FlowMeterTest, CountsUnderTheNamesOfBothSides) {
  meter_->add(sent(web_, db_), {.packets = 2, .bytes = 300});
  meter_->add(sent(web_, db_), {.packets = 1, .bytes = 100});
  meter_->add(received(web_, external_endpoint()), {.packets = 1, .bytes = 50});
  meter_->add(sent(nullptr, nullptr, IPPROTO_GRE), {.packets = 1, .bytes = 7});
  const auto all = rows();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at("shop/web/egress/UDP/pod/data/db/").bytes, 400U);
  EXPECT_EQ(all.at("shop/web/egress/UDP/pod/data/db/").packets, 3U);
  EXPECT_EQ(all.at("shop/web/ingress/UDP/external//external/").bytes, 50U);
  EXPECT_EQ(all.at("/unknown/egress/other/unknown//unknown/").bytes, 7U);
}

TEST_F(FlowMeterTest, MakesOneRowOfAllPodsOfAWorkload) {
  const auto sibling = pod("shop", "web", "another");
  meter_->add(sent(web_, db_), {.packets = 1, .bytes = 100});
  meter_->add(sent(sibling, db_), {.packets = 1, .bytes = 100});
  EXPECT_EQ(rows().at("shop/web/egress/UDP/pod/data/db/").bytes, 200U);
  EXPECT_EQ(meter_->series(), 3U);
}

// A quantile is guessed inside of a bucket: each is two and a half times as wide as long, at most.
TEST(RttBuckets, AreNarrowFromARackToAroundTheWorld) {
  const auto bounds = rtt_bounds();
  EXPECT_LE(bounds.front(), 0.0001);
  EXPECT_GE(bounds.back(), 2.5);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double before = i == 0 ? bounds[0] : bounds[i - 1];
    EXPECT_LE(bounds[i], before * 2.5 + 1e-9);
    EXPECT_EQ(rtt_bucket(static_cast<std::uint32_t>(std::lround(bounds[i] * 1e6))), i);
    EXPECT_EQ(rtt_bucket(static_cast<std::uint32_t>(std::lround(bounds[i] * 1e6)) + 1), i + 1);
  }
}

TEST_F(FlowMeterTest, HasTheLabelsThatWereChosen) {
  const OwnLabels own{
      .name_space = false, .pod = true, .workload = false, .node = true, .node_name = "n1"};
  FlowMeter meter({.own = own});
  meter.add(sent(web_, db_), {.packets = 1, .bytes = 1});
  meter.share()->for_each([&](const MeterRow& row) {
    EXPECT_EQ(to_labels(*row.labels, own), (std::vector<MetricLabel>{{"namespace", ""},
                                                                     {"pod", "web-0"},
                                                                     {"node", "n1"},
                                                                     {"direction", "egress"},
                                                                     {"protocol", "UDP"},
                                                                     {"peer_kind", "pod"},
                                                                     {"peer_namespace", "data"},
                                                                     {"peer_workload", "db"}}));
  });
}

TEST_F(FlowMeterTest, ShowsNoBytesThatAreNoText) {
  const auto odd = std::make_shared<const Endpoint>(
      Endpoint{.kind = EndpointKind::kProcess, .name_space = "", .name = "a\xff\n\"\\"});
  meter_->add(sent(odd, db_), {.packets = 1, .bytes = 1});
  EXPECT_TRUE(rows().contains("/a??\"\\/egress/UDP/pod/data/db/"));
}

TEST_F(FlowMeterTest, LeavesWhatWasCountedUnderAnOldName) {
  auto flow = sent(nullptr, db_);
  meter_->add(flow, {.packets = 1, .bytes = 100});
  flow.owners = FlowOwners{.src = web_, .dst = db_};
  meter_->add(flow, {.packets = 1, .bytes = 50});
  EXPECT_EQ(rows().at("/unknown/egress/UDP/pod/data/db/").bytes, 100U);
  EXPECT_EQ(rows().at("shop/web/egress/UDP/pod/data/db/").bytes, 50U);
}

TEST_F(FlowMeterTest, ObservesRoundTripTimesAndRetransmitsOfWhatIsSent) {
  auto flow = sent(web_, db_, IPPROTO_TCP);
  flow.socket.rtt_us = 250;
  meter_->add(flow, {.packets = 1, .bytes = 1, .retransmits = 2});
  flow.socket.rtt_us = 251;
  meter_->add(flow, {.packets = 1, .bytes = 1});
  meter_->add(flow, {.packets = 0, .bytes = 0});  // sent nothing: not observed
  auto other_way = received(web_, db_, IPPROTO_TCP);
  other_way.socket.rtt_us = 250;
  meter_->add(other_way, {.packets = 1, .bytes = 1, .retransmits = 2});
  const auto all = rows();
  const auto& out = all.at("shop/web/egress/TCP/pod/data/db/");
  EXPECT_EQ(out.retransmits, 2U);
  EXPECT_EQ(out.rtt_sum_us, 501U);
  EXPECT_THAT(out.rtt, ::testing::ElementsAre(0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  const auto& in = all.at("shop/web/ingress/TCP/pod/data/db/");
  EXPECT_EQ(in.retransmits, 0U);
  EXPECT_EQ(in.rtt_sum_us, 0U);
}

TEST_F(FlowMeterTest, CountsConnectionsByHowTheyEndedAndWhoOpenedThem) {
  auto flow = sent(web_, db_, IPPROTO_TCP);
  flow.socket = {.state = TCP_CLOSE, .old_state = TCP_FIN_WAIT2, .role = Role::kClient};
  meter_->add_connection(flow);
  flow.socket.error = ECONNRESET;
  meter_->add_connection(flow);
  flow.socket = {
      .state = TCP_CLOSE, .old_state = TCP_SYN_SENT, .role = Role::kClient, .error = ECONNREFUSED};
  meter_->add_connection(flow);
  flow.socket = {.state = TCP_CLOSE, .old_state = TCP_SYN_SENT, .role = Role::kClient};
  meter_->add_connection(flow);
  flow.socket = {.state = TCP_CLOSE, .old_state = TCP_LAST_ACK, .role = Role::kServer};
  meter_->add_connection(flow);
  const auto all = rows();
  EXPECT_THAT(all.at("shop/web/egress/TCP/pod/data/db/").connections,
              ::testing::ElementsAre(1, 2, 1));
  EXPECT_THAT(all.at("shop/web/ingress/TCP/pod/data/db/").connections,
              ::testing::ElementsAre(1, 0, 0));
}

TEST_F(FlowMeterTest, GivesSnapshotsThatStandStill) {
  meter_->add(sent(web_, db_), {.packets = 1, .bytes = 100});
  const auto before = meter_->share();
  meter_->add(sent(web_, db_), {.packets = 1, .bytes = 100});
  meter_->add(sent(db_, web_), {.packets = 1, .bytes = 100});
  EXPECT_EQ(rows_of(*before).at("shop/web/egress/UDP/pod/data/db/").bytes, 100U);
  EXPECT_EQ(rows_of(*before).size(), 1U);
  EXPECT_EQ(rows().at("shop/web/egress/UDP/pod/data/db/").bytes, 200U);
}

// A reader that sees bytes and packets apart is reading a page that moves.
TEST_F(FlowMeterTest, ServesReadersWhileItCounts) {
  std::mutex mutex;
  std::shared_ptr<const MeterSnapshot> shown = meter_->share();
  std::atomic<bool> reading = true;
  std::jthread reader([&] {
    for (int i = 0; i < 2000; ++i) {
      std::shared_ptr<const MeterSnapshot> mine;
      {
        const std::lock_guard lock(mutex);
        mine = shown;
      }
      mine->for_each(
          [](const MeterRow& row) { EXPECT_EQ(row.counters.bytes, 3 * row.counters.packets); });
    }
    reading = false;
  });
  std::vector<Flow> flows;
  for (int i = 0; i < 100; ++i) flows.push_back(sent(web_, pod("p", "p" + std::to_string(i))));
  while (reading) {
    for (const auto& flow : flows) meter_->add(flow, {.packets = 1, .bytes = 3});
    auto next = meter_->share();
    const std::lock_guard lock(mutex);
    shown = std::move(next);
  }
}

// --- bounds ---

TEST_F(FlowMeterTest, FoldsTheLeastRecentlyUsedIntoOther) {
  make(6);  // two rows of UDP
  const auto first = sent(web_, pod("a", "a"));
  const auto second = sent(web_, pod("b", "b"));
  meter_->add(first, {.packets = 1, .bytes = 1});
  pass(1);
  meter_->add(second, {.packets = 1, .bytes = 10});
  pass(1);
  meter_->add(first, {.packets = 1, .bytes = 1});
  pass(FlowMeter::kMayFoldAfterNs);
  meter_->add(sent(web_, pod("c", "c")), {.packets = 1, .bytes = 100});
  const auto all = rows();
  EXPECT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at("shop/web/egress/UDP/pod/a/a/").bytes, 2U);
  EXPECT_EQ(all.at("shop/web/egress/UDP/pod/c/c/").bytes, 100U);
  EXPECT_EQ(all.at("other/other/egress/UDP/other/other/other/").bytes, 10U);
  EXPECT_EQ(meter_->series(), 6U);
  EXPECT_EQ(meter_->folded(), 3U);
}

TEST_F(FlowMeterTest, CountsInOtherRatherThanEndWhatIsInUse) {
  make(3);
  meter_->add(sent(web_, pod("a", "a")), {.packets = 1, .bytes = 1});
  pass(FlowMeter::kMayFoldAfterNs - 1);
  const auto late = sent(web_, pod("b", "b"));
  meter_->add(late, {.packets = 1, .bytes = 10});
  EXPECT_EQ(rows().at("other/other/egress/UDP/other/other/other/").bytes, 10U);
  EXPECT_EQ(meter_->folded(), 3U);
  // Room is looked for again when owners were let go of.
  pass(1);
  meter_->expire([](const std::string&) { return false; });
  meter_->add(late, {.packets = 1, .bytes = 10});
  EXPECT_EQ(rows().at("shop/web/egress/UDP/pod/b/b/").bytes, 10U);
}

TEST_F(FlowMeterTest, AddsToOtherOnlyWhatNobodyHasSeen) {
  make(3);
  const auto flow = sent(web_, pod("a", "a"));
  meter_->add(flow, {.packets = 1, .bytes = 100});
  (void)meter_->share();
  meter_->add(flow, {.packets = 1, .bytes = 7});
  pass(FlowMeter::kMayFoldAfterNs);
  meter_->add(sent(web_, pod("b", "b")), {.packets = 1, .bytes = 1});
  EXPECT_EQ(rows().at("other/other/egress/UDP/other/other/other/").bytes, 7U);
  // It comes back, and begins anew.
  pass(FlowMeter::kMayFoldAfterNs);
  meter_->add(flow, {.packets = 1, .bytes = 5});
  EXPECT_EQ(rows().at("shop/web/egress/UDP/pod/a/a/").bytes, 5U);
  EXPECT_EQ(rows().at("other/other/egress/UDP/other/other/other/").bytes, 7U);
}

TEST_F(FlowMeterTest, CountsAPartThatHasNoRoomInOtherAndTheRestWhereItWas) {
  make(4);  // what is sent by TCP, without round-trip times and connections
  auto flow = sent(web_, db_, IPPROTO_TCP);
  flow.socket = {
      .rtt_us = 100, .state = TCP_CLOSE, .old_state = TCP_LAST_ACK, .role = Role::kClient};
  meter_->add(flow, {.packets = 1, .bytes = 9});
  meter_->add(flow, {.packets = 1, .bytes = 9});
  meter_->add_connection(flow);
  const auto all = rows();
  EXPECT_EQ(all.at("shop/web/egress/TCP/pod/data/db/").bytes, 18U);
  const auto& other = all.at("other/other/egress/TCP/other/other/other/");
  EXPECT_EQ(other.bytes, 0U);
  EXPECT_EQ(other.rtt_sum_us, 200U);
  EXPECT_EQ(other.connections[0], 1U);
  EXPECT_EQ(meter_->folded(), kRttBuckets + 2U + 3U)
      << "each part once, however often it was refused";
}

TEST_F(FlowMeterTest, EndsTheRowsOfPodsThatAreGoneAfterTheGracePeriod) {
  const auto flow = sent(web_, db_);
  meter_->add(flow, {.packets = 1, .bytes = 100});
  meter_->add(received(db_, pod("shop", "alive")), {.packets = 1, .bytes = 1});
  const auto gone = [](const std::string& uid) { return uid == "web"; };
  pass(299 * kSecond);
  meter_->expire(gone);
  EXPECT_EQ(rows().size(), 2U);
  pass(1 * kSecond);
  meter_->expire(gone);
  EXPECT_THAT(rows(),
              ::testing::ElementsAre(::testing::Key("data/db/ingress/UDP/pod/shop/alive/")));
  EXPECT_EQ(meter_->expired(), 3U);
  EXPECT_EQ(meter_->series(), 3U);
}

TEST_F(FlowMeterTest, KeepsTheRowsOfPodsThatLiveHoweverSilent) {
  meter_->add(sent(web_, db_), {.packets = 1, .bytes = 100});
  pass(100'000 * kSecond);
  meter_->expire([](const std::string&) { return false; });
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(FlowMeterTest, EndsARowOnceAnotherPodOfItsWorkloadIsTheLast) {
  meter_->add(sent(web_, db_), {.packets = 1, .bytes = 100});
  meter_->expire([](const std::string&) { return false; });
  meter_->add(sent(pod("shop", "web", "successor"), db_), {.packets = 1, .bytes = 100});
  pass(300 * kSecond);
  meter_->expire([](const std::string& uid) { return uid == "web"; });
  EXPECT_EQ(rows().size(), 1U) << "its successor lives";
}

}  // namespace
}  // namespace orb8
