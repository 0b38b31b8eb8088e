// The pipeline with a store that the test feeds, and flows that it tells.
// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/attribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/base/eventually.h"
#include "core/identity/kube_test_data.h"
#include "core/pipeline/pipeline.h"
#include "core/source/scripted_source.h"

namespace orb8 {
namespace {

const Addr kPodIp = Addr::v4(10, 244, 0, 7);
const Addr kPeerIp = Addr::v4(10, 244, 1, 8);
const Addr kLoopback = Addr::v4(127, 0, 0, 1);
constexpr auto kPatience = std::chrono::seconds(20);

FlowRecord record(const Addr& src, const Addr& dst) {
  FlowRecord made;
  made.key = {.src = src, .dst = dst, .src_port = 40000, .dst_port = 80, .protocol = IPPROTO_TCP};
  made.packets = 1;
  made.bytes = 100;
  made.incarnation = 1;
  made.first_seen_ns = made.last_seen_ns =
      std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  return made;
}

class AttributionTest : public testing::Test {
 protected:
  AttributionTest() {
    config_.node_name = "node-1";
    config_.snapshot_interval_ms = 100;
  }
  void start() {
    pipeline_ = *Pipeline::start(config_, std::make_unique<ScriptedSource>(script_), &store_);
  }
  static std::string names_in(const FlowOwners& owners) {
    std::string names;
    for (const auto* side : {&owners.src, &owners.dst}) {
      names += names.empty() ? "" : " > ";
      names += *side ? (*side)->name.empty() ? to_string((*side)->kind) : (*side)->name : "?";
    }
    return names;
  }
  std::string names_of(const FlowKey& key) const {
    std::string names;
    pipeline_->flows()->for_each([&](const Flow& flow) {
      if (flow.key == key) names = names_in(*flow.owners);
    });
    return names;
  }
  bool becomes(const FlowKey& key, const std::string& names) const {
    return eventually([&] { return names_of(key) == names; });
  }

  Config config_;
  Script script_;
  KubeStore store_{{}};
  std::unique_ptr<Pipeline> pipeline_;
};

TEST_F(AttributionTest, NamesAFlowThatCameBeforeItsPods) {
  const auto flow = record(kPodIp, kPeerIp);
  script_.set_flow(flow);
  start();
  EXPECT_EQ(names_of(flow.key), "? > ?");
  store_.set(pod("p1", "web-0", {kPodIp}));
  EXPECT_TRUE(becomes(flow.key, "web-0 > ?"));
  store_.set(pod("p2", "db-0", {kPeerIp}));
  EXPECT_TRUE(becomes(flow.key, "web-0 > db-0"));
}

TEST_F(AttributionTest, NamesALateFlowWithoutWaitingForTheNextSnapshot) {
  config_.snapshot_interval_ms = 60'000;
  const auto flow = record(kPodIp, kPeerIp);
  script_.set_flow(flow);
  start();
  store_.set(pod("p1", "web-0", {kPodIp}));
  EXPECT_TRUE(becomes(flow.key, "web-0 > ?"));
}

TEST_F(AttributionTest, NamesAllThatWasThereBeforeTheClusterWasListed) {
  const auto flow = record(kPodIp, kPeerIp);
  script_.set_flow(flow);
  start();
  store_.set(pod("p1", "web-0", {kPodIp}));
  for (const auto kind : {k8s::Kind::kService, k8s::Kind::kNode}) store_.listed(kind, {});
  store_.listed(k8s::Kind::kPod, {"p1"});
  EXPECT_TRUE(becomes(flow.key, "web-0 > external"));
}

TEST_F(AttributionTest, KeepsAFlowWithThePodThatItWasWithWhenTheAddressIsGivenToAnother) {
  store_.set(pod("p1", "old", {kPodIp}, 10));
  const auto flow = record(kPodIp, kPeerIp);
  script_.set_flow(flow);
  start();
  EXPECT_EQ(names_of(flow.key), "old > ?");
  store_.set(pod("p2", "new", {kPodIp}, 20));
  store_.listed(k8s::Kind::kPod, {"p1", "p2"});
  store_.set(pod("p3", "peer", {kPeerIp}));
  EXPECT_TRUE(becomes(flow.key, "old > peer"));

  auto next = record(kPodIp, kPeerIp);
  next.key.src_port = 40001;
  script_.set_flow(next);
  EXPECT_TRUE(becomes(next.key, "new > peer"));
}

TEST_F(AttributionTest, BringsTheZoneToAFlowWhosePodWasKnownBeforeItsNode) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  const auto flow = record(kPodIp, kPeerIp);
  script_.set_flow(flow);
  start();
  store_.set(node("n1", "node-1", {}, "zone-a"));
  store_.listed(k8s::Kind::kNode, {"n1"});
  EXPECT_TRUE(eventually([&] {
    std::string zone;
    pipeline_->flows()->for_each([&](const Flow& seen) { zone = seen.owners->src->zone; });
    return zone == "zone-a";
  }));
}

// What a client sends to a server on this machine, as each one's socket has it.
FlowRecord at_client() {
  auto client = record(kLoopback, kLoopback);
  client.key.direction = Direction::kEgress;
  client.key.socket = 1;
  client.pid = 100;
  client.comm = {'c', 'u', 'r', 'l'};
  client.socket.netns = 5;
  return client;
}
FlowRecord at_server() {
  auto server = at_client();
  server.key.direction = Direction::kIngress;
  server.key.socket = 2;
  server.pid = 200;
  server.comm = {'n', 'g', 'i', 'n', 'x'};
  return server;
}

TEST_F(AttributionTest, TellsEachEndOfALoopbackConnectionWhoTheOtherIs) {
  // Either order, and each direction: a socket may be told of late.
  const auto client = at_client();
  const auto server = at_server();
  script_.set_flow(client);
  start();
  EXPECT_EQ(names_of(client.key), "curl > node-1");
  script_.set_flow(server);
  EXPECT_TRUE(becomes(client.key, "curl > nginx"));
  EXPECT_TRUE(becomes(server.key, "curl > nginx"));
  // Kubernetes' news do not take it away.
  store_.listed(k8s::Kind::kPod, {});
  auto later = record(kPodIp, kLoopback);
  script_.set_flow(later);
  EXPECT_TRUE(becomes(later.key, "? > node-1"));
  EXPECT_EQ(names_of(client.key), "curl > nginx");
}

// Both ends closed since the last look: there is no second event that could make good for the
// first.
class MetPairTest : public AttributionTest {
 protected:
  MetPairTest() {
    config_.snapshot_interval_ms = 60'000;
    client_.life = server_.life = FlowLife::kClosed;
  }
  // The events of what stopping brings, as "START curl > nginx".
  std::vector<std::string> last_events() {
    auto stream = *pipeline_->subscribe({}, false);
    pipeline_->stop();
    std::vector<std::string> told;
    for (const auto& event : stream.next(kPatience).events) {
      told.push_back((event.kind == EventKind::kFlowStart ? "START " : "END ") +
                     names_in(*event.flow.owners));
    }
    return told;
  }

  FlowRecord client_ = at_client();
  FlowRecord server_ = at_server();
};

TEST_F(MetPairTest, IsToldWithBothNamesWhicheverEndComesFirst) {
  start();
  script_.set_flow(client_);
  script_.set_flow(server_);
  const auto told = last_events();
  EXPECT_THAT(told, testing::UnorderedElementsAre("START curl > nginx", "END curl > nginx",
                                                  "START curl > nginx", "END curl > nginx"));
}

TEST_F(MetPairTest, IsCountedWithBothNames) {
  config_.metrics_labels = {MetricsLabel::kNamespace, MetricsLabel::kWorkload};
  start();
  script_.set_flow(client_);
  script_.set_flow(server_);
  pipeline_->stop();
  std::map<std::string, std::uint64_t> by_peer_kind;
  pipeline_->collect_metrics(
      [&](const MetricFamily& family) {
        if (family.info.name != "orb8_network_bytes_total") return;
        for (const auto& sample : family.samples) {
          for (const auto& [name, value] : sample.labels) {
            if (name == "peer_kind") by_peer_kind[value] += std::get<std::uint64_t>(sample.value);
          }
        }
      },
      [](Status&) {});
  EXPECT_THAT(by_peer_kind, testing::ElementsAre(testing::Pair("process", 200)));
}

// Its other end is on its way when it has to go.
TEST_F(MetPairTest, StartsBeforeItEndsWhereThereIsNoRoomForIt) {
  config_.max_flows = 1;
  start();
  script_.set_flow(client_);
  script_.set_flow(record(kPodIp, kPeerIp));
  EXPECT_THAT(last_events(),
              testing::ElementsAre("START ? > ?", "START curl > node-1", "END curl > node-1"));
}

TEST_F(AttributionTest, NamesThePacketsOfAStream) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  start();
  const EndpointFilter in_shop{.namespaces = {{.text = "shop"}}};
  auto stream = *pipeline_->subscribe({.all = {.either = in_shop}}, true);
  Event packet;
  packet.kind = EventKind::kPacket;
  packet.flow.key = record(kPodIp, kPeerIp).key;
  script_.send_packet(packet);
  const auto batch = stream.next(kPatience);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].flow.owners->src->name, "web-0");
}

TEST_F(AttributionTest, CountsThePodsThatItKnowsAndThoseThatItHadToDrop) {
  KubeStore small({.max_pods = 2});
  for (const auto* uid : {"p1", "p2", "p3"}) small.set(pod(uid, uid, {}));
  const auto pipeline =
      *Pipeline::start(config_, std::make_unique<ScriptedSource>(script_), &small);
  EXPECT_EQ(pipeline->status().pods_tracked, 2U);
  EXPECT_EQ(pipeline->status().pods_evicted, 1U);
  EXPECT_FALSE(pipeline->status().healthy());
}

// Without the thread, so that the clock is the test's.
class LongFlowTest : public testing::Test {
 protected:
  LongFlowTest() {
    for (const auto kind : {k8s::Kind::kService, k8s::Kind::kNode, k8s::Kind::kPod}) {
      store_.listed(kind, {});
    }
    look(0);
  }
  FlowKey see(const Addr& src, const Addr& dst) {
    const auto seen = record(src, dst);
    attribution_.refresh(now_ns_);
    table_.apply(seen, [this](const FlowRecord& r) { return attribution_.owners_of(r); });
    attribution_.settle();
    return seen.key;
  }
  // Some time later, as the pipeline's thread does it with each snapshot and after news.
  bool look(std::int64_t after_ns) {
    now_ns_ += after_ns;
    return attribution_.name_late(now_ns_);
  }
  std::string names_of(const FlowKey& key) const {
    const auto& owners = *table_.find(key)->owners;
    const auto text = [](const EndpointRef& side) {
      return !side ? "?" : side->name.empty() ? std::string(to_string(side->kind)) : side->name;
    };
    return text(owners.src) + " > " + text(owners.dst);
  }

  std::string service_of(const FlowKey& key) const {
    const auto& service = table_.find(key)->owners->dst_service;
    return service ? service->name : "none";
  }

  static constexpr std::int64_t kSecond = 1'000'000'000;
  static constexpr std::int64_t kMinute = 60 * kSecond;
  std::int64_t now_ns_ = 0;
  KubeStore store_{{.max_pods = 20'000}};
  std::unique_ptr<Identity> identity_ =
      Identity::open({.node = "node-1", .kube = &store_}, now_ns_);
  FlowNamer namer_{{.node = "node-1", .netns = 1, .kube = &store_}};
  FlowTable table_{{}};
  Attribution attribution_{*identity_, namer_, table_, &store_};
};

TEST_F(LongFlowTest, GetsTheNamesOfPodsThatAreToldOfMinutesLater) {
  const auto key = see(kPodIp, kPeerIp);
  EXPECT_EQ(names_of(key), "external > external");
  look(kMinute);
  store_.set(pod("p2", "db-0", {kPeerIp}));
  EXPECT_TRUE(look(kMinute));
  EXPECT_EQ(names_of(key), "external > db-0");
  store_.set(pod("p1", "web-0", {}));
  look(kMinute);
  store_.set(pod("p1", "web-0", {kPodIp}));
  EXPECT_TRUE(look(kMinute));
  EXPECT_EQ(names_of(key), "web-0 > db-0");
}

TEST_F(LongFlowTest, GetsTheNamesOfNodesAndServicesThatAreToldOfMinutesLater) {
  const auto key = see(kPodIp, kPeerIp);
  look(kMinute);
  store_.set(node("n1", "node-2", {kPodIp}));
  store_.set(service("s1", "web", {kPeerIp}));
  EXPECT_TRUE(look(kMinute));
  EXPECT_EQ(names_of(key), "node-2 > web");
}

TEST_F(LongFlowTest, GetsTheServiceThatIsToldOfMinutesLaterBesideItsPodOrNode) {
  store_.set(pod("p2", "db-0", {kPeerIp}));
  store_.set(node("n1", "node-2", {kPodIp}));
  const auto headless = see(kLoopback, kPeerIp);
  const auto node_port = see(kLoopback, kPodIp);
  store_.set(slice("e1", "db", {kPeerIp}, headless.dst_port));
  EXPECT_FALSE(look(kMinute)) << "it has no Service yet";
  store_.set(service("s1", "db", {}));
  auto web = service("s2", "web", {});
  web.ports[0].node_port = node_port.dst_port;
  store_.set(web);
  EXPECT_TRUE(look(kMinute));
  EXPECT_EQ(service_of(headless), "db");
  EXPECT_EQ(service_of(node_port), "web");
  store_.gone(k8s::Kind::kEndpointSlice, "e1");
  look(kMinute);
  EXPECT_EQ(service_of(headless), "db");
}

TEST_F(LongFlowTest, GetsThePodWhoseAddressWasTakenForANodes) {
  auto other = node("n1", "node-2", {});
  other.pod_cidrs = {{.addr = kPeerIp, .length = 120}};
  store_.set(other);
  const auto key = see(kPodIp, kPeerIp);
  EXPECT_EQ(names_of(key), "external > node-2");
  look(kMinute);
  store_.set(pod("p2", "db-0", {kPeerIp}));
  EXPECT_TRUE(look(kMinute));
  EXPECT_EQ(names_of(key), "external > db-0");
}

TEST_F(LongFlowTest, KeepsServicesAndNodesThatAreGoneWhenAllIsListedAnew) {
  store_.set(service("s1", "web", {kPeerIp}));
  store_.set(node("n1", "node-2", {kPodIp}));
  const auto key = see(kPodIp, kPeerIp);
  EXPECT_EQ(names_of(key), "node-2 > web");
  store_.listed(k8s::Kind::kNode, {});
  store_.listed(k8s::Kind::kService, {});
  look(kMinute);
  EXPECT_EQ(names_of(key), "node-2 > web");
  EXPECT_EQ(service_of(key), "web");
  store_.set(service("s2", "new", {kPeerIp}));
  store_.set(node("n2", "node-3", {kPodIp}));
  store_.listed(k8s::Kind::kService, {"s2"});
  look(kMinute);
  EXPECT_EQ(names_of(key), "node-2 > web");
  EXPECT_EQ(service_of(key), "web");
}

TEST_F(LongFlowTest, KeepsTheNameThatItHasWhenItsAddressIsTakenByAnother) {
  store_.set(service("s1", "old", {kPeerIp}));
  const auto key = see(kPodIp, kPeerIp);
  look(kMinute);
  store_.gone(k8s::Kind::kService, "s1");
  store_.set(service("s2", "new", {kPeerIp}));
  EXPECT_FALSE(look(kMinute));
  EXPECT_EQ(names_of(key), "external > old");
}

TEST_F(LongFlowTest, IsLookedAtOnceASecondAtMostAndThenForAllNewsSince) {
  const auto first = see(kPodIp, kPeerIp);
  const auto second = see(kPeerIp, kPodIp);
  look(kMinute);
  store_.set(pod("p1", "web-0", {kPodIp}));
  EXPECT_TRUE(look(0));
  EXPECT_EQ(names_of(first), "web-0 > external");
  store_.set(pod("p2", "db-0", {kPeerIp}));
  EXPECT_FALSE(look(kSecond / 2));
  store_.set(pod("p3", "other", {kLoopback}));
  EXPECT_FALSE(look(kSecond / 4));
  EXPECT_TRUE(look(kSecond / 4));
  EXPECT_EQ(names_of(first), "web-0 > db-0");
  EXPECT_EQ(names_of(second), "db-0 > web-0");
  EXPECT_FALSE(look(kMinute)) << "there are no news";
}

TEST_F(LongFlowTest, GetsItsNameAlsoWhereMoreNewsComeAtOnceThanAreKept) {
  const auto key = see(kPodIp, kPeerIp);
  look(kMinute);
  store_.set(pod("p1", "web-0", {kPodIp}));
  for (int i = 0; i < 5'000; ++i) {
    store_.set(
        pod("q" + std::to_string(i), "crowd",
            {Addr::v4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i))}));
  }
  store_.set(pod("p2", "db-0", {kPeerIp}));
  EXPECT_TRUE(look(kSecond));
  EXPECT_EQ(names_of(key), "web-0 > db-0");
}

TEST_F(LongFlowTest, IsNamedAtOnceWhileItIsYoung) {
  const auto key = see(kPodIp, kPeerIp);
  store_.set(pod("p1", "web-0", {kPodIp}));
  EXPECT_TRUE(look(kSecond / 20));
  store_.set(pod("p2", "db-0", {kPeerIp}));
  EXPECT_TRUE(look(kSecond / 20));
  EXPECT_EQ(names_of(key), "web-0 > db-0");
}

}  // namespace
}  // namespace orb8
