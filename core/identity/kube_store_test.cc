// SPDX-License-Identifier: Apache-2.0
#include "core/identity/kube_store.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "core/base/log_capture.h"
#include "core/identity/kube_test_data.h"

namespace orb8 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
const Addr kPodIp = Addr::v4(10, 244, 0, 7);
const Addr kNodeIp = Addr::v4(192, 168, 0, 1);
const Addr kVip = Addr::v4(10, 96, 0, 10);
const Addr kStranger = Addr::v4(203, 0, 113, 9);

class KubeStoreTest : public testing::Test {
 protected:
  KubeSide dst(const Addr& addr, std::uint16_t port = 8080, bool own = false,
               std::uint8_t protocol = IPPROTO_TCP) const {
    return store_
        .sides_of({.src = kStranger, .dst = addr, .dst_port = port, .protocol = protocol}, false,
                  own)
        .dst;
  }
  std::string dst_name(const Addr& addr, std::uint16_t port = 8080) const {
    const auto side = dst(addr, port);
    return side.endpoint ? side.endpoint->name : "nobody";
  }

  std::int64_t now_ns_ = 0;
  KubeStore store_{{}, [this] { return now_ns_; }};
};

TEST_F(KubeStoreTest, NamesPodsNodesAndServicesByTheirAddresses) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  store_.set(node("n1", "node-1", {kNodeIp}));
  store_.set(service("s1", "web", {kVip}));
  EXPECT_EQ(dst(kPodIp).endpoint->kind, EndpointKind::kPod);
  EXPECT_EQ(dst_name(kPodIp), "web-0");
  EXPECT_EQ(dst(kNodeIp).endpoint->kind, EndpointKind::kNode);
  EXPECT_EQ(dst_name(kNodeIp), "node-1");
  EXPECT_EQ(dst(kVip, 80).endpoint->kind, EndpointKind::kService);
  EXPECT_EQ(dst(kVip, 80).service->name, "web");
  EXPECT_EQ(dst_name(kStranger), "nobody");
}

TEST_F(KubeStoreTest, TellsTheServiceBesideThePodThatStandsBehindIt) {
  store_.set(pod("p1", "db-0", {kPodIp}));
  store_.set(service("s1", "db", {}));
  store_.set(slice("e1", "db", {kPodIp}));
  EXPECT_EQ(dst(kPodIp).endpoint->name, "db-0");
  EXPECT_EQ(dst(kPodIp).service->name, "db");
  EXPECT_FALSE(dst(kPodIp, 1).service);
}

class HostNetworkBackend : public KubeStoreTest {
 protected:
  HostNetworkBackend() {
    store_.set(node("n1", "node-1", {kNodeIp}));
    for (const auto* uid : {"p1", "p2"}) {
      auto on_host = pod(uid, std::string("proxy-") + uid, {kNodeIp});
      on_host.host_network = true;
      store_.set(on_host);
    }
    web_.targets = {{.ip = kNodeIp, .pod_uid = "p1"}};
    store_.set(web_);
  }
  std::string behind(const char* service, const Addr& addr, std::uint16_t port = 8080,
                     std::uint8_t protocol = IPPROTO_TCP) const {
    const auto found =
        store_.behind({.kind = EndpointKind::kService, .name_space = "shop", .name = service}, addr,
                      port, protocol);
    return found ? found->name : "nobody";
  }
  k8s::EndpointSlice web_ = slice("e1", "web", {kNodeIp});
};

TEST_F(HostNetworkBackend, IsThePodThatTheServicesEndpointsName) {
  store_.set(service("s1", "web", {kVip}));
  EXPECT_EQ(behind("web", kNodeIp), "proxy-p1");
  EXPECT_EQ(behind("web", kNodeIp, 8081), "node-1") << "another port may be anybody's";
  EXPECT_EQ(behind("web", kNodeIp, 8080, IPPROTO_UDP), "node-1");
  EXPECT_EQ(behind("db", kNodeIp), "node-1") << "they are that Service's alone";
  EXPECT_EQ(behind("web", kStranger), "nobody");
  EXPECT_EQ(dst_name(kNodeIp), "node-1") << "nobody asked for the Service";
}

TEST_F(HostNetworkBackend, IsTheNewestSlicesWhereTwoSayDifferentThings) {
  auto newer = slice("e2", "web", {kNodeIp});
  newer.targets = {{.ip = kNodeIp, .pod_uid = "p2"}};
  store_.set(newer);
  EXPECT_EQ(behind("web", kNodeIp), "proxy-p2");
  store_.gone(k8s::Kind::kEndpointSlice, "e2");
  EXPECT_EQ(behind("web", kNodeIp), "proxy-p1");
}

TEST_F(HostNetworkBackend, IsTheNodeWhereThePodIsNotKnown) {
  web_.targets = {{.ip = kNodeIp, .pod_uid = "p3"}};
  store_.set(web_);
  EXPECT_EQ(behind("web", kNodeIp), "node-1");
}

TEST_F(HostNetworkBackend, OfAHeadlessServiceIsFoundByAddressAndPort) {
  store_.set(service("s1", "web", {}));
  EXPECT_EQ(dst_name(kNodeIp), "proxy-p1");
  EXPECT_EQ(dst(kNodeIp).service->name, "web");
  EXPECT_EQ(dst_name(kNodeIp, 8081), "node-1");
}

TEST_F(KubeStoreTest, TellsANodePortOnNodesAndOnThisMachinesOtherAddresses) {
  auto web = service("s1", "web", {kVip});
  web.ports[0].node_port = 30080;
  store_.set(web);
  store_.set(node("n1", "node-1", {kNodeIp}));
  EXPECT_EQ(dst(kNodeIp, 30080).service->name, "web");
  EXPECT_EQ(dst(kNodeIp, 30080).endpoint->name, "node-1");
  EXPECT_EQ(dst(kStranger, 30080, true).service->name, "web");
  EXPECT_FALSE(dst(kStranger, 30080, false).service);
}

TEST_F(KubeStoreTest, KnowsANodeByTheFirstAddressesOfItsPodsRange) {
  auto far = node("n2", "node-2", {});
  far.pod_cidrs = {*parse_prefix("10.244.0.0/24"), *parse_prefix("fd00:5::/64")};
  store_.set(far);
  for (const char* gateway : {"10.244.0.0", "10.244.0.1", "fd00:5::", "fd00:5::1"}) {
    EXPECT_EQ(dst_name(ip(gateway)), "node-2") << gateway;
    EXPECT_FALSE(dst(ip(gateway)).for_pods) << gateway;
  }
  for (const char* other : {"10.244.0.7", "10.244.0.255", "fd00:5::2"}) {
    EXPECT_EQ(dst_name(ip(other)), "nobody") << other;
    EXPECT_TRUE(dst(ip(other)).for_pods) << other;
  }
  EXPECT_FALSE(dst(kStranger).for_pods);
  store_.set(pod("p1", "first", {ip("10.244.0.1")}));
  EXPECT_EQ(dst_name(ip("10.244.0.1")), "first");
  store_.gone(k8s::Kind::kNode, "n2");
  EXPECT_EQ(dst_name(ip("10.244.0.0")), "nobody");
  EXPECT_FALSE(dst(ip("10.244.0.7")).for_pods);
}

TEST_F(KubeStoreTest, TakesAPodBeforeANodeAndANodeBeforeAService) {
  store_.set(node("n1", "node-1", {kNodeIp, kPodIp}));
  store_.set(pod("p1", "web-0", {kPodIp}));
  auto shared = service("s1", "web", {});
  shared.external_ips = {kNodeIp};
  store_.set(shared);
  EXPECT_EQ(dst_name(kPodIp), "web-0");
  EXPECT_EQ(dst_name(kNodeIp, 80), "node-1");
  EXPECT_EQ(dst(kNodeIp, 80).service->name, "web");
}

TEST_F(KubeStoreTest, DoesNotTakeTheTypeOfAnIcmpMessageForAPort) {
  store_.set(pod("p1", "db-0", {kPodIp}));
  store_.set(service("s1", "db", {}));
  auto echo = slice("e1", "db", {kPodIp}, 8);
  echo.ports[0].protocol = IPPROTO_ICMP;
  store_.set(echo);
  EXPECT_FALSE(dst(kPodIp, 8, false, IPPROTO_ICMP).service);
}

TEST_F(KubeStoreTest, FindsThePodOfAContainerAndOfACgroupWhoseContainerIsNotKnownYet) {
  auto web = pod("p1", "web-0", {kPodIp});
  web.containers = {{"nginx", std::string(64, 'a')}};
  store_.set(web);
  EXPECT_EQ(store_.pod_of({.id = std::string(64, 'a')})->endpoint.name, "web-0");
  EXPECT_EQ(store_.pod_of({.id = std::string(64, 'b'), .pod_uid = "p1"})->endpoint.name, "web-0");
  EXPECT_FALSE(store_.pod_of({.id = std::string(64, 'b')}));
}

TEST_F(KubeStoreTest, BringsTheZoneToPodsThatCameBeforeTheirNode) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  EXPECT_EQ(dst(kPodIp).endpoint->zone, "");
  const auto before = store_.version();
  store_.set(node("n1", "node-1", {kNodeIp}, "zone-a"));
  store_.tick();
  EXPECT_EQ(dst(kPodIp).endpoint->zone, "zone-a");
  EXPECT_GT(store_.version(), before);
  store_.set(pod("p2", "web-1", {ip("10.244.0.8")}));
  EXPECT_EQ(dst(ip("10.244.0.8")).endpoint->zone, "zone-a");
}

TEST_F(KubeStoreTest, ForgetsADeletedPodAfterTheGracePeriod) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  store_.gone(k8s::Kind::kPod, "p1");
  now_ns_ = 60 * kSecond - 1;
  store_.tick();
  EXPECT_EQ(dst_name(kPodIp), "web-0");
  now_ns_ = 60 * kSecond;
  store_.tick();
  EXPECT_EQ(dst_name(kPodIp), "nobody");
}

TEST_F(KubeStoreTest, DropsNodesThatVanishedOrChangedTheirAddresses) {
  store_.set(node("n1", "node-1", {kNodeIp}));
  store_.set(node("n1", "node-1", {kPodIp}));
  EXPECT_EQ(dst_name(kNodeIp), "nobody");
  EXPECT_EQ(dst_name(kPodIp), "node-1");
  store_.set(node("n2", "node-2", {kVip}));
  store_.listed(k8s::Kind::kNode, {"n2"});
  EXPECT_EQ(dst_name(kPodIp), "nobody");
  store_.gone(k8s::Kind::kNode, "n2");
  EXPECT_EQ(dst_name(kVip), "nobody");
  EXPECT_EQ(store_.counts().nodes, 0U);
}

TEST_F(KubeStoreTest, IsCompleteOnceWhatHasAddressesWasListed) {
  for (const auto kind : {k8s::Kind::kService, k8s::Kind::kPod}) store_.listed(kind, {});
  EXPECT_FALSE(store_.is_complete());
  store_.listed(k8s::Kind::kNode, {});
  EXPECT_TRUE(store_.is_complete());
  EXPECT_EQ(store_.lists(), 3U);
}

TEST_F(KubeStoreTest, TellsOnceWhichAddressesHaveComeToBeKnown) {
  const auto news = [this](std::initializer_list<Addr> addrs, bool pods) {
    const auto told = store_.take_news();
    return told.addrs == decltype(told.addrs)(addrs) && told.pods == pods;
  };
  store_.set(pod("p1", "web-0", {}));
  EXPECT_TRUE(news({}, true)) << "by its cgroup it is known already";
  store_.set(pod("p1", "web-0", {kPodIp}));
  EXPECT_TRUE(news({kPodIp}, false));
  auto labelled = pod("p1", "web-0", {kPodIp});
  labelled.start_ns = 2;
  store_.set(labelled);
  EXPECT_TRUE(news({}, false)) << "it is found as before";
  store_.set(node("n1", "node-1", {kNodeIp}));
  store_.set(service("s1", "web", {kVip}));
  store_.set(slice("e1", "web", {kStranger}));
  EXPECT_TRUE(news({kNodeIp, kVip, kStranger}, false));
  store_.set(node("n1", "node-1", {kNodeIp}));
  store_.gone(k8s::Kind::kPod, "p1");
  EXPECT_TRUE(news({}, false));
  store_.set(pod("p2", "web-1", {kPodIp}, 3));
  EXPECT_TRUE(news({kPodIp}, true)) << "it is another's now";
}

TEST_F(KubeStoreTest, TellsNoAddressesOfPodsThatAreNotFoundByThem) {
  auto over = pod("p1", "once", {kPodIp});
  over.finished = true;
  store_.set(over);
  auto on_host = pod("p2", "agent", {kNodeIp});
  on_host.host_network = true;
  store_.set(on_host);
  store_.set(pod("p3", "new", {kVip}, 20));
  store_.set(pod("p4", "old", {kVip}, 10));
  EXPECT_EQ(store_.take_news().addrs.size(), 1U);
}

TEST_F(KubeStoreTest, TellsToLookAtAllWhereAListCameOrTheNewsAreTooMany) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  store_.listed(k8s::Kind::kPod, {"p1"});
  EXPECT_EQ(store_.lists(), 1U);
  EXPECT_TRUE(store_.take_news().empty());
  for (int i = 0; i <= 5'000; ++i) {
    store_.set(
        pod("q" + std::to_string(i), "web",
            {Addr::v4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i))}));
  }
  EXPECT_EQ(store_.lists(), 2U);
  EXPECT_LT(store_.take_news().addrs.size(), 1'000U);
}

TEST_F(KubeStoreTest, SaysOnceThatThePodsAreKnown) {
  const LogCapture log;
  store_.set(pod("p1", "web-0", {kPodIp}));
  for (const auto kind : {k8s::Kind::kPod, k8s::Kind::kService, k8s::Kind::kNode,
                          k8s::Kind::kEndpointSlice, k8s::Kind::kPod}) {
    store_.listed(kind, {"p1"});
  }
  EXPECT_EQ(log.text(), "info Pod watcher initial sync complete. Tracking 1 pods (by IP)\n");
}

TEST_F(KubeStoreTest, CountsAsAChangeOnlyWhatIsOne) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  const auto version = store_.version();
  store_.set(pod("p1", "web-0", {kPodIp}));
  store_.gone(k8s::Kind::kPod, "p2");
  store_.tick();
  EXPECT_EQ(store_.version(), version);
}

TEST_F(KubeStoreTest, TellsItsPodsWithoutThoseThatWereDeleted) {
  store_.set(pod("p1", "web-0", {kPodIp}));
  store_.set(pod("p2", "web-1", {}));
  store_.gone(k8s::Kind::kPod, "p2");
  ASSERT_EQ(store_.pods().size(), 1U);
  EXPECT_EQ(store_.pods()[0].pod->endpoint.name, "web-0");
  EXPECT_EQ(store_.counts().pods, 1U);
}

TEST_F(KubeStoreTest, TellsWhichPodsHaveACgroupOnThisMachine) {
  auto mirror = pod("p1", "kube-proxy-node-1", {});
  mirror.static_uid = "static-1";
  store_.set(mirror);
  const auto found = [this] { return store_.pods().at(0).cgroup; };
  EXPECT_FALSE(found());
  for (const auto* uid : {"p1", "static-1"}) {
    store_.cgroup_appeared(uid);
    store_.cgroup_appeared(uid);  // the pod's, and its container's
    store_.cgroup_gone(uid);
    EXPECT_TRUE(found());
    store_.cgroup_gone(uid);
    EXPECT_FALSE(found());
  }
  store_.cgroup_appeared("");
  EXPECT_FALSE(found());
}

TEST_F(KubeStoreTest, WakesWhoWaitsForChanges) {
  pollfd fd = {.fd = store_.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&fd, 1, 0), 0);
  store_.set(pod("p1", "web-0", {kPodIp}));
  store_.set(pod("p2", "web-1", {}));
  EXPECT_EQ(::poll(&fd, 1, 0), 1);
  EXPECT_TRUE(store_.take_notice());
  EXPECT_FALSE(store_.take_notice());
  EXPECT_EQ(::poll(&fd, 1, 0), 0);
  store_.gone(k8s::Kind::kPod, "p1");
  EXPECT_EQ(::poll(&fd, 1, 0), 1);
}

TEST_F(KubeStoreTest, IsReadWhileItIsWritten) {
  std::atomic<bool> done = false;
  std::atomic<int> found = 0;
  std::thread reader([&] {
    while (!done) {
      if (const auto endpoint = dst(kPodIp).endpoint) found += endpoint->name.starts_with("web");
      store_.tick();
      (void)store_.pods();
    }
  });
  for (int i = 0; i < 2000 || found == 0; ++i) {
    store_.set(pod("p" + std::to_string(i), "web-" + std::to_string(i), {kPodIp}, i));
    if (i > 0) store_.gone(k8s::Kind::kPod, "p" + std::to_string(i - 1));
  }
  done = true;
  reader.join();
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace orb8
