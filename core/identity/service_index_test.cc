// SPDX-License-Identifier: Apache-2.0
#include "core/identity/service_index.h"

#include <gtest/gtest.h>

#include "core/identity/kube_test_data.h"

namespace orb8 {
namespace {

const Addr kVip = Addr::v4(10, 96, 0, 10);
const Addr kPodIp = Addr::v4(10, 244, 0, 7);
const Addr kNodeIp = Addr::v4(192, 168, 0, 1);

// "name:port"
std::string text(const ServiceIndex::Match& match) {
  if (!match.service) return "nobody";
  EXPECT_EQ(match.service->kind, EndpointKind::kService);
  EXPECT_EQ(match.service->name_space, "shop");
  return match.service->name + ":" + match.service->port;
}

std::string at(const ServiceIndex& index, const Addr& addr, std::uint16_t port,
               std::uint8_t protocol = IPPROTO_TCP, bool node = false) {
  return text(index.find(addr, port, protocol, node));
}

TEST(ServiceIndex, NamesAClusterIpAndItsPort) {
  ServiceIndex index;
  auto web = service("s1", "web", {kVip, ip("fd00::a")});
  web.ports.push_back({.name = "dns", .protocol = IPPROTO_UDP, .port = 53, .node_port = 0});
  index.set(web);
  EXPECT_EQ(at(index, kVip, 80), "web:http");
  EXPECT_EQ(at(index, ip("fd00::a"), 80), "web:http");
  EXPECT_EQ(at(index, kVip, 53, IPPROTO_UDP), "web:dns");
  EXPECT_TRUE(index.find(kVip, 80, IPPROTO_TCP, false).address);
}

TEST(ServiceIndex, NamesAClusterIpAlsoByAPortThatItDoesNotHave) {
  ServiceIndex index;
  index.set(service("s1", "web", {kVip}));
  EXPECT_EQ(at(index, kVip, 81), "web:");
  EXPECT_EQ(at(index, kVip, 0, IPPROTO_ICMP), "web:");
  EXPECT_EQ(at(index, kVip, 80, IPPROTO_UDP), "web:");
}

TEST(ServiceIndex, NamesAddressesFromOutsideByTheirPortsOnly) {
  ServiceIndex index;
  auto web = service("s1", "web", {kVip});
  web.external_ips = {ip("203.0.113.5")};
  index.set(web);
  EXPECT_EQ(at(index, ip("203.0.113.5"), 80), "web:http");
  EXPECT_EQ(at(index, ip("203.0.113.5"), 443), "nobody")
      << "several Services may share a load balancer";
}

TEST(ServiceIndex, NamesANodePortOnNodesAndNowhereElse) {
  ServiceIndex index;
  auto web = service("s1", "web", {kVip});
  web.ports[0].node_port = 30080;
  index.set(web);
  EXPECT_EQ(at(index, kNodeIp, 30080, IPPROTO_TCP, true), "web:http");
  EXPECT_FALSE(index.find(kNodeIp, 30080, IPPROTO_TCP, true).address);
  EXPECT_EQ(at(index, kNodeIp, 30080, IPPROTO_UDP, true), "nobody");
  EXPECT_EQ(at(index, kNodeIp, 30080, IPPROTO_TCP, false), "nobody");
}

TEST(ServiceIndex, NamesAHeadlessServiceByItsEndpoints) {
  ServiceIndex index;
  index.set(service("s1", "db", {}));
  index.set(slice("e1", "db", {kPodIp}));
  EXPECT_EQ(at(index, kPodIp, 8080), "db:web");
  EXPECT_FALSE(index.find(kPodIp, 8080, IPPROTO_TCP, false).address);
  EXPECT_EQ(at(index, kPodIp, 8081), "nobody");
}

TEST(ServiceIndex, DoesNotCareWhetherServiceOrEndpointsComeFirst) {
  ServiceIndex index;
  index.set(slice("e1", "db", {kPodIp}));
  EXPECT_EQ(at(index, kPodIp, 8080), "nobody");
  index.set(service("s1", "db", {}));
  EXPECT_EQ(at(index, kPodIp, 8080), "db:web");
}

TEST(ServiceIndex, DoesNotNameAServiceWithAnAddressByItsEndpoints) {
  ServiceIndex index;
  index.set(service("s1", "web", {kVip}));
  index.set(slice("e1", "web", {kPodIp}));
  EXPECT_EQ(at(index, kPodIp, 8080), "nobody") << "whoever got there may have gone past it";
}

TEST(ServiceIndex, FollowsAServiceThatBecomesHeadless) {
  ServiceIndex index;
  index.set(slice("e1", "web", {kPodIp}));
  index.set(service("s1", "web", {kVip}));
  index.set(service("s1", "web", {}));
  EXPECT_EQ(at(index, kPodIp, 8080), "web:web");
  EXPECT_EQ(at(index, kVip, 80), "nobody");
  index.set(service("s1", "web", {kVip}));
  EXPECT_EQ(at(index, kPodIp, 8080), "nobody");
}

TEST(ServiceIndex, TakesEndpointsWithoutAPortForNobodys) {
  ServiceIndex index;
  index.set(service("s1", "db", {}));
  index.set(slice("e1", "db", {kPodIp}, 0));
  EXPECT_EQ(at(index, kPodIp, 0), "nobody");
}

TEST(ServiceIndex, LetsGoOfWhatAServiceDoesNotHaveAnyMore) {
  ServiceIndex index;
  auto web = service("s1", "web", {kVip});
  web.ports[0].node_port = 30080;
  index.set(web);
  web.cluster_ips = {ip("10.96.0.11")};
  web.ports[0].node_port = 30081;
  EXPECT_TRUE(index.set(web));
  EXPECT_FALSE(index.set(web));
  EXPECT_EQ(at(index, kVip, 80), "nobody");
  EXPECT_EQ(at(index, kNodeIp, 30080, IPPROTO_TCP, true), "nobody");
  EXPECT_EQ(at(index, ip("10.96.0.11"), 80), "web:http");
  EXPECT_TRUE(index.gone_service("s1"));
  EXPECT_FALSE(index.gone_service("s1"));
  EXPECT_EQ(at(index, ip("10.96.0.11"), 80), "nobody");
}

TEST(ServiceIndex, GivesAReusedClusterIpToTheNewServiceAlsoWhenTheOldOneGoesLater) {
  ServiceIndex index;
  index.set(service("s1", "old", {kVip}));
  index.set(service("s2", "new", {kVip}));
  EXPECT_EQ(at(index, kVip, 80), "new:http");
  index.gone_service("s1");
  EXPECT_EQ(at(index, kVip, 80), "new:http");
}

TEST(ServiceIndex, KeepsTheEndpointsOfAHeadlessServiceThatWasMadeAnew) {
  ServiceIndex index;
  index.set(slice("e1", "db", {kPodIp}));
  index.set(service("s1", "db", {}));
  index.set(service("s2", "db", {}));
  index.gone_service("s1");
  EXPECT_EQ(at(index, kPodIp, 8080), "db:web");
  index.gone_service("s2");
  EXPECT_EQ(at(index, kPodIp, 8080), "nobody");
}

TEST(ServiceIndex, DropsWhatListsDoNotHave) {
  ServiceIndex index;
  index.set(service("s1", "web", {kVip}));
  index.set(service("s2", "db", {}));
  index.set(slice("e1", "db", {kPodIp}));
  EXPECT_TRUE(index.keep_services({"s2"}));
  EXPECT_EQ(at(index, kVip, 80), "nobody");
  EXPECT_EQ(at(index, kPodIp, 8080), "db:web");
  EXPECT_TRUE(index.keep_slices({}));
  EXPECT_FALSE(index.keep_slices({}));
  EXPECT_EQ(at(index, kPodIp, 8080), "nobody");
}

}  // namespace
}  // namespace orb8
