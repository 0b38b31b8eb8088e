// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/flow_namer.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/identity/kube_test_data.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kOwnNetns = 1;
constexpr std::uint32_t kPodNetns = 2;
const Addr kPodIp = Addr::v4(10, 244, 0, 7);
const Addr kNodeIp = Addr::v4(192, 168, 0, 1);
const Addr kBridgeIp = Addr::v4(10, 244, 0, 1);
const Addr kVip = Addr::v4(10, 96, 0, 10);
const Addr kStranger = Addr::v4(203, 0, 113, 9);
const Addr kLoopback = Addr::v4(127, 0, 0, 1);

OwnerRef owner(EndpointKind kind, const std::string& name, const std::string& cgroup_path = "/x") {
  Owner made;
  made.cgroup_path = cgroup_path;
  made.endpoint = std::make_shared<const Endpoint>(Endpoint{kind, "", name});
  return std::make_shared<const Owner>(std::move(made));
}

FlowKey sent(const Addr& src, const Addr& dst, std::uint16_t dst_port = 80) {
  return {.src = src,
          .dst = dst,
          .src_port = 40000,
          .dst_port = dst_port,
          .protocol = IPPROTO_TCP,
          .direction = Direction::kEgress};
}

std::string text(const EndpointRef& endpoint) {
  if (!endpoint) return "not known";
  const std::string kind(to_string(endpoint->kind));
  return endpoint->name.empty() ? kind : kind + " " + endpoint->name;
}

class FlowNamerTest : public testing::Test {
 protected:
  FlowNamerTest() {
    for (auto* namer : {&namer_, &alone_}) namer->set_own_addresses({kNodeIp, kBridgeIp});
    store_.set(pod("p1", "web-0", {kPodIp}));
    store_.set(node("n1", "node-1", {kNodeIp}));
    store_.set(service("s1", "web", {kVip}));
  }
  void complete() { complete(store_); }
  static void complete(KubeStore& store) {
    store.listed(k8s::Kind::kPod, {"p1"});
    store.listed(k8s::Kind::kNode, {"n1"});
    store.listed(k8s::Kind::kService, {"s1"});
  }

  KubeStore store_{{}};
  FlowNamer namer_{{.node = "node-1", .netns = kOwnNetns, .kube = &store_}};
  FlowNamer alone_{{.node = "node-1", .netns = kOwnNetns, .kube = nullptr}};
};

TEST_F(FlowNamerTest, NamesBothSidesByTheirAddresses) {
  const auto owners = namer_.owners_of(sent(kNodeIp, kPodIp), 0, nullptr);
  EXPECT_EQ(text(owners.src), "node node-1");
  EXPECT_EQ(text(owners.dst), "pod web-0");
}

TEST_F(FlowNamerTest, TakesTheSocketsOwnerForItsSideWhateverTheAddressIs) {
  const auto agent = owner(EndpointKind::kPod, "agent");
  auto key = sent(kNodeIp, kPodIp);
  EXPECT_EQ(text(namer_.owners_of(key, kOwnNetns, agent).src), "pod agent");
  EXPECT_EQ(text(namer_.owners_of(key, kOwnNetns, agent).dst), "pod web-0");
  key.direction = Direction::kIngress;
  EXPECT_EQ(text(namer_.owners_of(key, kOwnNetns, agent).dst), "pod agent");
  EXPECT_EQ(text(namer_.owners_of(key, kOwnNetns, agent).src), "node node-1");
}

// With version 1 of cgroups all processes are in the same one of version 2.
TEST_F(FlowNamerTest, TakesAPodsAddressBeforeAProcessInACgroupThatIsNoPods) {
  const auto key = sent(kPodIp, kStranger);
  for (const char* cgroup : {"", "/", "/user.slice"}) {
    EXPECT_EQ(text(namer_.owners_of(key, 0, owner(EndpointKind::kProcess, "nginx", cgroup)).src),
              "pod web-0");
  }
  EXPECT_EQ(
      text(namer_.owners_of(sent(kNodeIp, kStranger), 0, owner(EndpointKind::kProcess, "kubelet"))
               .src),
      "process kubelet");
}

TEST_F(FlowNamerTest, DoesNotCallExternalWhatPodsAddressesAreTakenFrom) {
  auto other = node("n2", "node-2", {});
  other.pod_cidrs = {*parse_prefix("10.244.5.0/24")};
  complete();
  store_.set(other);
  EXPECT_EQ(text(namer_.owners_of(sent(ip("10.244.5.9"), kPodIp), 0, nullptr).src), "not known");
  EXPECT_EQ(text(namer_.owners_of(sent(ip("10.244.6.9"), kPodIp), 0, nullptr).src), "external");
  EXPECT_EQ(text(namer_.owners_of(sent(ip("10.244.5.1"), kPodIp), 0, nullptr).src), "node node-2");
}

TEST_F(FlowNamerTest, TellsTheServiceThatWasAddressedOnEitherSide) {
  const auto to = namer_.owners_of(sent(kPodIp, kVip), 0, nullptr);
  EXPECT_EQ(text(to.dst), "service web");
  EXPECT_EQ(text(to.dst_service), "service web");
  EXPECT_FALSE(to.src_service);
  auto reply = sent(kVip, kPodIp);
  std::swap(reply.src_port, reply.dst_port);
  const auto from = namer_.owners_of(reply, 0, nullptr);
  EXPECT_EQ(text(from.src), "service web");
  EXPECT_EQ(text(from.src_service), "service web");
}

TEST_F(FlowNamerTest, CallsAStrangerExternalOnceItIsKnownWhoIsNot) {
  EXPECT_EQ(text(namer_.owners_of(sent(kPodIp, kStranger), 0, nullptr).dst), "not known");
  complete();
  EXPECT_EQ(text(namer_.owners_of(sent(kPodIp, kStranger), 0, nullptr).dst), "external");
}

TEST_F(FlowNamerTest, CallsNobodyExternalWhereOnlyThisNodesPodsAreKnown) {
  KubeStore of_node({.node = "node-1", .node_only = true});
  const FlowNamer namer({.node = "node-1", .netns = kOwnNetns, .kube = &of_node});
  of_node.set(pod("p1", "web-0", {kPodIp}));
  of_node.set(node("n1", "node-1", {kNodeIp}));
  of_node.set(service("s1", "web", {kVip}));
  complete(of_node);
  EXPECT_EQ(text(namer.owners_of(sent(kPodIp, kStranger), 0, nullptr).src), "pod web-0");
  EXPECT_EQ(text(namer.owners_of(sent(kPodIp, kStranger), 0, nullptr).dst), "not known")
      << "it may be a pod of another node";
  EXPECT_EQ(text(namer.owners_of(sent(kPodIp, kNodeIp), 0, nullptr).dst), "node node-1");
  EXPECT_EQ(text(namer.owners_of(sent(kPodIp, kVip), 0, nullptr).dst), "service web");
}

TEST_F(FlowNamerTest, CallsNobodyExternalOnceAPodHadToMakeRoom) {
  KubeStore small({.max_pods = 1});
  const FlowNamer namer({.node = "node-1", .netns = kOwnNetns, .kube = &small});
  small.set(pod("p1", "web-0", {kPodIp}));
  complete(small);
  const auto key = sent(kPodIp, kStranger);
  EXPECT_EQ(text(namer.owners_of(key, 0, nullptr).dst), "external");
  small.set(pod("p2", "web-1", {ip("10.244.0.8")}));
  EXPECT_EQ(text(namer.owners_of(key, 0, nullptr).src), "not known") << "p1 had to go";
  EXPECT_EQ(text(namer.owners_of(key, 0, nullptr).dst), "not known");
}

TEST_F(FlowNamerTest, CallsStrangersExternalWhereOnlyAPodThatIsOverHadToMakeRoom) {
  KubeStore small({.max_pods = 1});
  const FlowNamer namer({.node = "node-1", .netns = kOwnNetns, .kube = &small});
  auto over = pod("p1", "web-0", {kPodIp});
  over.finished = true;
  small.set(over);
  complete(small);
  small.set(pod("p2", "web-1", {ip("10.244.0.8")}));
  EXPECT_EQ(text(namer.owners_of(sent(kPodIp, kStranger), 0, nullptr).dst), "external");
}

TEST_F(FlowNamerTest, TakesThisMachinesAddressesForItselfAndNotForStrangers) {
  complete();
  for (const auto& addr : {kLoopback, kBridgeIp, ip("::1")}) {
    EXPECT_EQ(text(namer_.owners_of(sent(kNodeIp, addr), kOwnNetns, nullptr).dst), "node node-1");
    EXPECT_EQ(text(alone_.owners_of(sent(kNodeIp, addr), kOwnNetns, nullptr).dst), "node node-1");
  }
}

TEST_F(FlowNamerTest, TakesAClusterIpThatIsBoundHereForTheServices) {
  namer_.set_own_addresses({kNodeIp, kVip});  // as kube-proxy does it with IPVS
  EXPECT_EQ(text(namer_.owners_of(sent(kPodIp, kVip), 0, nullptr).dst), "service web");
}

TEST_F(FlowNamerTest, TakesAPodsLoopbackForThatPod) {
  const auto key = sent(kLoopback, kLoopback);
  const auto web = owner(EndpointKind::kPod, "web-0");
  EXPECT_EQ(text(namer_.owners_of(key, kPodNetns, web).dst), "pod web-0");
  EXPECT_EQ(text(namer_.owners_of(key, kOwnNetns, web).dst), "node node-1")
      << "on the host's network it may be anybody";
}

TEST_F(FlowNamerTest, KnowsThisMachineAndStrangersWithoutKubernetes) {
  EXPECT_EQ(text(alone_.owners_of(sent(kNodeIp, kPodIp), 0, nullptr).dst), "external");
  EXPECT_EQ(text(alone_.owners_of(sent(kNodeIp, kPodIp), 0, nullptr).src), "node node-1");
  EXPECT_FALSE(alone_.may_be_named_later(alone_.owners_of(sent(kNodeIp, kPodIp), 0, nullptr)));
}

TEST_F(FlowNamerTest, HopesForANameWhereASideIsAStrangerOrAPodOfWhichNothingIsKnown) {
  complete();
  EXPECT_TRUE(namer_.may_be_named_later(namer_.owners_of(sent(kPodIp, kStranger), 0, nullptr)));
  EXPECT_FALSE(namer_.may_be_named_later(namer_.owners_of(sent(kPodIp, kNodeIp), 0, nullptr)));
  Owner unheard_of;
  unheard_of.pod_uid = "p2";
  unheard_of.endpoint =
      std::make_shared<const Endpoint>(Endpoint{EndpointKind::kContainer, "", "nginx"});
  EXPECT_TRUE(namer_.may_be_named_later(namer_.owners_of(
      sent(kPodIp, kNodeIp), 0, std::make_shared<const Owner>(std::move(unheard_of)))));
}

TEST_F(FlowNamerTest, KnowsWhoIsOnThisMachine) {
  auto far = pod("p2", "far-0", {ip("10.244.1.7")});
  far.node = "node-2";
  store_.set(far);
  EXPECT_TRUE(namer_.is_here(kBridgeIp, nullptr));
  EXPECT_TRUE(namer_.is_here(kPodIp, store_.endpoint_at(kPodIp)));
  EXPECT_FALSE(namer_.is_here(far.ips[0], store_.endpoint_at(far.ips[0])));
  EXPECT_FALSE(namer_.is_here(kStranger, nullptr));
}

}  // namespace
}  // namespace orb8
