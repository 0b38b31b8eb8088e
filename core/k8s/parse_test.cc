// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <map>

#include "core/k8s/list_splitter.h"
#include "core/k8s/recorded.h"
#include "core/k8s/resource.h"

namespace orb8::k8s {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

template <class T>
std::map<std::string, T> listed(Kind kind, const std::string& file) {
  std::map<std::string, T> objects;
  ObjectParser parser(kind);
  ListSplitter splitter(1U << 20U);
  splitter.feed(recorded(file), [&](std::string& item) {
    const auto parsed = parser.item(item);
    if (!parsed || !parsed->object) return;
    const auto& object = std::get<T>(*parsed->object);
    objects.emplace(object.name, object);
  });
  EXPECT_TRUE(splitter.complete());
  return objects;
}

template <class T>
std::optional<T> parsed(Kind kind, std::string json) {
  const auto item = ObjectParser(kind).item(json);
  if (!item || !item->object) return std::nullopt;
  return std::get<T>(*item->object);
}

TEST(ParsePod, KeepsWhoItIsAndWhatRunsInIt) {
  const auto pods = listed<Pod>(Kind::kPod, "pods-list.json");
  ASSERT_THAT(pods, SizeIs(9));
  const auto& web = pods.at("web-7c4dc945b9-7wksw");
  EXPECT_EQ(web.uid, "a9af04fd-d754-4aae-a5a2-0effe419e222");
  EXPECT_EQ(web.name_space, "shop");
  EXPECT_EQ(web.node, "node-1");
  EXPECT_THAT(web.ips, ElementsAre(Addr::v4(10, 244, 0, 31)));
  EXPECT_THAT(
      web.containers,
      ElementsAre(
          Container{"setup", "800e67ab84830c1b19ea97504bc43f1ed82b7dd2fe6e0d456a6389942dd53332"},
          Container{"httpd", "ba93048a5717af3472b7237e1d245c7efcdf739ec0561c534d2caafe781a1fe7"},
          Container{"sidecar",
                    "7c0f4277d4b961d2f7c806cca28bb704be8cfc38539f8f0fbb38dda19f440c0d"}));
  EXPECT_EQ(web.controller, (Controller{"ReplicaSet", "web-7c4dc945b9"}));
  EXPECT_THAT(web.labels,
              ElementsAre(std::pair("app", "web"), std::pair("app.kubernetes.io/name", "web"),
                          std::pair("app.kubernetes.io/version", "1.0"),
                          std::pair("pod-template-hash", "7c4dc945b9")));
  EXPECT_EQ(web.start_ns, 1795488459'000000000);
  EXPECT_FALSE(web.host_network);
  EXPECT_FALSE(web.finished);
  EXPECT_THAT(web.static_uid, IsEmpty());
}

TEST(ParsePod, TellsApartTheHostNetworkTheFinishedAndTheUnscheduled) {
  const auto pods = listed<Pod>(Kind::kPod, "pods-list.json");
  EXPECT_TRUE(pods.at("agent-85n5w").host_network);
  EXPECT_TRUE(pods.at("fails-m796m").finished);
  EXPECT_TRUE(pods.at("once-fz6mg").finished);
  EXPECT_THAT(pods.at("once-fz6mg").ips, ElementsAre(Addr::v4(10, 244, 0, 29)));
  const auto& unscheduled = pods.at("too-big");
  EXPECT_THAT(unscheduled.node, IsEmpty());
  EXPECT_THAT(unscheduled.ips, IsEmpty());
  EXPECT_GT(unscheduled.start_ns, 1795488000'000000000);  // when it was made
  EXPECT_EQ(pods.at("crashing").controller, Controller{});
  EXPECT_THAT(pods.at("no-image").containers, ElementsAre(Container{"main", ""}));
}

TEST(ParsePod, TakesBothFamiliesEphemeralContainersAndTheMirrorAnnotation) {
  const auto pod = parsed<Pod>(Kind::kPod, R"({
    "metadata": {"uid": "u", "name": "etcd-node-1", "namespace": "kube-system",
      "annotations": {"kubernetes.io/config.hash": "h", "kubernetes.io/config.mirror": "abc"},
      "ownerReferences": [{"kind": "Other", "name": "o"},
                          {"kind": "Node", "name": "node-1", "controller": true}]},
    "status": {"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}, {"ip": ""}],
      "containerStatuses": [{"name": "a", "containerID": "docker://1"}],
      "ephemeralContainerStatuses": [{"name": "debug", "containerID": "containerd://2"}]}})");
  ASSERT_TRUE(pod);
  EXPECT_THAT(pod->ips, ElementsAre(Addr::v4(10, 0, 0, 1), *parse_addr("fd00::1")));
  EXPECT_THAT(pod->containers, ElementsAre(Container{"a", "1"}, Container{"debug", "2"}));
  EXPECT_EQ(pod->static_uid, "abc");
  EXPECT_EQ(pod->controller, (Controller{"Node", "node-1"}));
  EXPECT_EQ(pod->start_ns, 0);
}

TEST(ParseService, KeepsAddressesAndPorts) {
  const auto services = listed<Service>(Kind::kService, "services-list.json");
  ASSERT_THAT(services, SizeIs(7));
  const auto& dns = services.at("kube-dns");
  EXPECT_EQ(dns.name_space, "kube-system");
  EXPECT_THAT(dns.cluster_ips, ElementsAre(Addr::v4(10, 96, 0, 10)));
  EXPECT_THAT(dns.ports, ElementsAre(ServicePort{"dns", IPPROTO_UDP, 53, 0},
                                     ServicePort{"dns-tcp", IPPROTO_TCP, 53, 0}));
  EXPECT_THAT(services.at("web-outside").ports,
              ElementsAre(ServicePort{"http", IPPROTO_TCP, 80, 30644},
                          ServicePort{"alt", IPPROTO_TCP, 8081, 31903}));
  EXPECT_THAT(services.at("web-headless").cluster_ips, IsEmpty());
  EXPECT_THAT(services.at("elsewhere").cluster_ips, IsEmpty());
  EXPECT_THAT(services.at("nobody-home").ports, ElementsAre(ServicePort{"", IPPROTO_TCP, 9000, 0}));
}

TEST(ParseService, TakesOutsideAddressesFromBothPlaces) {
  const auto service = parsed<Service>(Kind::kService, R"({
    "metadata": {"uid": "u", "name": "s", "namespace": "n"},
    "spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "fd00::1"],
      "externalIPs": ["192.0.2.7", "010.1.2.3"], "ports": [{"port": 1, "protocol": "SCTP"}]},
    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.8"}, {"hostname": "lb.example"}]}}})");
  ASSERT_TRUE(service);
  EXPECT_THAT(service->cluster_ips, ElementsAre(Addr::v4(10, 96, 0, 1), *parse_addr("fd00::1")));
  EXPECT_THAT(service->external_ips, ElementsAre(Addr::v4(192, 0, 2, 7), Addr::v4(192, 0, 2, 8)));
  EXPECT_THAT(service->ports, ElementsAre(ServicePort{"", IPPROTO_SCTP, 1, 0}));
}

TEST(ParseNode, KeepsItsAddressesAndItsZone) {
  const auto nodes = listed<Node>(Kind::kNode, "nodes-list.json");
  ASSERT_THAT(nodes, SizeIs(1));
  EXPECT_THAT(nodes.at("node-1").ips, ElementsAre(Addr::v4(192, 0, 2, 2)));
  const std::string head = R"({"metadata": {"uid": "u", "name": "n", "labels": {)";
  EXPECT_EQ(parsed<Node>(Kind::kNode, head +
                                          R"("failure-domain.beta.kubernetes.io/zone": "old",
                                             "topology.kubernetes.io/zone": "new"}}})")
                ->zone,
            "new");
  EXPECT_EQ(
      parsed<Node>(Kind::kNode, head + R"("failure-domain.beta.kubernetes.io/zone": "old"}}})")
          ->zone,
      "old");
}

TEST(ParseNode, KeepsWhereItsPodsAddressesAreFromAndThoseOfItsTunnels) {
  const auto node = parsed<Node>(Kind::kNode, R"({"metadata": {"uid": "u", "name": "n",
      "annotations": {"projectcalico.org/IPv4VXLANTunnelAddr": "10.244.1.0",
                      "projectcalico.org/IPv4Address": "192.0.2.2/24",
                      "network.cilium.io/ipv4-cilium-host": "10.244.1.77"}},
      "spec": {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24", "fd00:1::/64", "?"]},
      "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.2"}]}})");
  EXPECT_THAT(node->ips, ElementsAre(Addr::v4(192, 0, 2, 2), Addr::v4(10, 244, 1, 0),
                                     Addr::v4(10, 244, 1, 77)));
  EXPECT_THAT(node->pod_cidrs,
              ElementsAre(*parse_prefix("10.244.1.0/24"), *parse_prefix("fd00:1::/64")));
}

TEST(ParseEndpointSlice, KeepsWhoStandsBehindWhichService) {
  const auto slices = listed<EndpointSlice>(Kind::kEndpointSlice, "endpointslices-list.json");
  ASSERT_THAT(slices, SizeIs(6));
  const auto& web = slices.at("web-headless-hwngp");
  EXPECT_EQ(web.service, "web-headless");
  EXPECT_EQ(web.name_space, "shop");
  EXPECT_THAT(web.ips, ElementsAre(Addr::v4(10, 244, 0, 30), Addr::v4(10, 244, 0, 31)));
  EXPECT_THAT(web.ports, ElementsAre(SlicePort{"http", IPPROTO_TCP, 8080}));
  EXPECT_THAT(slices.at("nobody-home-npkm2").ips, IsEmpty());  // endpoints: null
  EXPECT_THAT(slices.at("kube-dns-node").service, "kube-dns");
  EXPECT_THAT(
      web.targets,
      ElementsAre(SliceTarget{Addr::v4(10, 244, 0, 30), "a5d7ad97-aee6-4f56-b9f6-39a21a5cb5dd"},
                  SliceTarget{Addr::v4(10, 244, 0, 31), "a9af04fd-d754-4aae-a5a2-0effe419e222"}));
  EXPECT_THAT(slices.at("kube-dns-node").targets, IsEmpty());
}

TEST(ParseEndpointSlice, TakesOnlyPodsForTheOwnersOfAddresses) {
  const auto slice = parsed<EndpointSlice>(Kind::kEndpointSlice, R"({
    "metadata": {"uid": "u", "name": "s", "namespace": "n"},
    "endpoints": [
      {"addresses": ["192.0.2.7"], "targetRef": {"kind": "Node", "uid": "n1"}},
      {"addresses": ["a.name"], "targetRef": {"kind": "Pod", "uid": "p1"}},
      {"addresses": ["192.0.2.8"], "targetRef": {"kind": "Pod", "name": "without-a-uid"}},
      {"addresses": ["192.0.2.9"], "targetRef": {"kind": "Pod", "uid": "p2"}}]})");
  ASSERT_TRUE(slice);
  EXPECT_THAT(slice->ips, SizeIs(3));
  EXPECT_THAT(slice->targets, ElementsAre(SliceTarget{Addr::v4(192, 0, 2, 9), "p2"}));
}

TEST(ParseObject, SkipsOneWithAValueOfAWrongType) {
  for (const char* rest : {
           R"("metadata": {"uid": "u", "name": 7})",
           R"("metadata": {"uid": "u", "name": "n"}, "spec": [])",
           R"("metadata": {"uid": "u", "name": "n"}, "spec": {"hostNetwork": "yes"})",
           R"("metadata": {"uid": "u", "name": "n"}, "status": {"podIPs": [7]})",
           R"("metadata": {"uid": "u", "name": "n"}, "status": {"podIPs": [{"ip": 7}]})",
           R"("metadata": {"uid": "u", "name": "n", "labels": {"a": {}}})",
           R"("metadata": {"uid": "u"})",
       }) {
    auto json = "{" + std::string(rest) + "}";
    const auto item = ObjectParser(Kind::kPod).item(json);
    ASSERT_TRUE(item) << rest;
    EXPECT_FALSE(item->object) << rest;
    EXPECT_EQ(item->uid, "u") << rest;
  }
  EXPECT_FALSE(parsed<Service>(Kind::kService, R"({"metadata": {"uid": "u", "name": "n"},
                                                  "spec": {"ports": [{"port": 65536}]}})"));
}

TEST(ParseObject, TakesNullAsAbsent) {
  EXPECT_TRUE(parsed<Pod>(Kind::kPod, R"({"metadata": {"uid": "u", "name": "n", "labels": null},
                                          "spec": null, "status": {"podIPs": null}})"));
}

TEST(ParseObject, SaysThatItIsNoJson) {
  for (std::string text :
       {"", "{", "<html>", R"({"a":1} x)", "\xff", R"({"metadata":{"uid":"u"})"}) {
    EXPECT_FALSE(ObjectParser(Kind::kPod).item(text)) << text;
  }
}

TEST(ParseEvent, KnowsTheRecordedOnes) {
  ObjectParser parser(Kind::kPod);
  auto expired = recorded("410-watch.ndjson");
  auto event = parser.event(expired);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, EventType::kError);
  EXPECT_EQ(event->error.code, 410);
  EXPECT_THAT(event->error.message, StartsWith("too old resource version"));

  auto stream = recorded("pods-watch.ndjson");
  auto first = stream.substr(0, stream.find('\n'));
  event = parser.event(first);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, EventType::kSet);
  EXPECT_EQ(event->object.version, "2109");
  EXPECT_EQ(std::get<Pod>(*event->object.object).name, "visitor");
  stream.pop_back();
  auto last = stream.substr(stream.rfind('\n') + 1);
  event = parser.event(last);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, EventType::kBookmark);
  EXPECT_EQ(event->object.version, "2261");
}

TEST(ParseEvent, RefusesWhatIsNone) {
  for (std::string text : {"", "{}", R"({"type":"ADDED"})", R"({"type":"NEW","object":{}})",
                           R"({"type":"ADDED","object":7})", R"({"type":"ADDED","object":{)"}) {
    EXPECT_FALSE(ObjectParser(Kind::kPod).event(text)) << text;
  }
}

TEST(ParseListHead, FindsTheVersionAndTheNextPage) {
  ObjectParser parser(Kind::kPod);
  auto page = recorded("pods-list-page-1.json");
  const auto head = parser.list_head(page);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->version, "2105");
  EXPECT_THAT(head->next_page, StartsWith("eyJ2Ijoi"));
  auto empty = recorded("pods-list-empty.json");
  EXPECT_THAT(parser.list_head(empty)->next_page, IsEmpty());
  for (std::string text : {"{}", R"({"kind":"PodList","metadata":{}})", "[]",
                           R"({"kind":"Status","metadata":{"resourceVersion":"1"}})"}) {
    EXPECT_FALSE(parser.list_head(text)) << text;
  }
}

TEST(ParseStatus, FindsTheMessageAndTheDelay) {
  ObjectParser parser(Kind::kPod);
  auto future = recorded("504-future-resource-version.json");
  const auto status = parser.status(future);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 504);
  EXPECT_EQ(status->retry_after_s, 1);
  EXPECT_THAT(status->message, HasSubstr("Too large resource version"));
  std::string other = R"({"kind":"PodList"})";
  EXPECT_FALSE(parser.status(other));
}

TEST(Resource, HasAPathForEachVersion) {
  EXPECT_EQ(resource_of(Kind::kEndpointSlice), "endpointslices");
  EXPECT_EQ(api_group_of(Kind::kEndpointSlice), "discovery.k8s.io");
  EXPECT_THAT(paths_of(Kind::kEndpointSlice),
              ElementsAre("/apis/discovery.k8s.io/v1/endpointslices",
                          "/apis/discovery.k8s.io/v1beta1/endpointslices"));
  EXPECT_THAT(paths_of(Kind::kNode), ElementsAre("/api/v1/nodes"));
}

}  // namespace
}  // namespace orb8::k8s
