// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_dimension.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <memory>

namespace orb8 {
namespace {

EndpointRef web() {
  Endpoint pod{.kind = EndpointKind::kPod, .name_space = "shop", .name = "web-0"};
  pod.workload_kind = "StatefulSet";
  pod.workload = "web";
  pod.node = "n1";
  return std::make_shared<const Endpoint>(pod);
}

EndpointRef named(EndpointKind kind, const char* name, const char* name_space = "") {
  return std::make_shared<const Endpoint>(
      Endpoint{.kind = kind, .name_space = name_space, .name = name});
}

// What web-0 sends to the peer, or gets from it.
Flow flow_with(const EndpointRef& peer, Direction direction = Direction::kEgress) {
  const bool sent = direction == Direction::kEgress;
  Flow flow;
  flow.key = {.src = Addr::v4(10, 0, 0, sent ? 1 : 2),
              .dst = Addr::v4(10, 0, 0, sent ? 2 : 1),
              .src_port = 40'000,
              .dst_port = 443,
              .protocol = IPPROTO_TCP,
              .direction = direction};
  if (!sent) std::swap(flow.key.src_port, flow.key.dst_port);
  flow.owners = FlowOwners{.src = sent ? web() : peer, .dst = sent ? peer : web()};
  return flow;
}

TEST(FlowDimension, HasItsOwnSideWhicheverWayItGoes) {
  for (const auto direction : {Direction::kEgress, Direction::kIngress}) {
    const auto flow = flow_with(named(EndpointKind::kNode, "n2"), direction);
    EXPECT_EQ(name_in(flow, GroupBy::kPod), "shop/web-0");
    EXPECT_EQ(name_in(flow, GroupBy::kWorkload), "shop/statefulset/web");
    EXPECT_EQ(name_in(flow, GroupBy::kNamespace), "shop");
    EXPECT_EQ(name_in(flow, GroupBy::kNode), "n1");
    EXPECT_EQ(name_in(flow, GroupBy::kPeerPod), "node/n2");
    EXPECT_EQ(name_in(flow, GroupBy::kPeerWorkload), "node/n2");
    EXPECT_EQ(name_in(flow, GroupBy::kPeerNamespace), "node");
    EXPECT_EQ(name_in(flow, GroupBy::kPeerNode), "n2");
    EXPECT_EQ(name_in(flow, GroupBy::kPeerIp), "10.0.0.2");
    EXPECT_EQ(server_port(flow), 443);
  }
}

TEST(FlowDimension, NamesWhatIsNoPodByItsKind) {
  const auto of = [](const EndpointRef& peer, GroupBy by) { return name_in(flow_with(peer), by); };
  const auto service = named(EndpointKind::kService, "db", "shop");
  EXPECT_EQ(of(service, GroupBy::kPeerPod), "svc/shop/db");
  EXPECT_EQ(of(service, GroupBy::kPeerNamespace), "shop");
  EXPECT_EQ(of(external_endpoint(), GroupBy::kPeerPod), "external");
  EXPECT_EQ(of(external_endpoint(), GroupBy::kPeerNode), "external");
  EXPECT_EQ(of(named(EndpointKind::kProcess, "sshd"), GroupBy::kPeerWorkload), "process/sshd");
  EXPECT_EQ(of(named(EndpointKind::kProcess, "sshd"), GroupBy::kPeerNamespace), "process");
}

TEST(FlowDimension, IsEmptyOfWhatNobodyKnows) {
  const Flow flow;
  for (const auto by : {GroupBy::kPod, GroupBy::kWorkload, GroupBy::kNamespace, GroupBy::kNode,
                        GroupBy::kProcess, GroupBy::kService, GroupBy::kPeerPod}) {
    EXPECT_EQ(name_in(flow, by), "");
  }
}

TEST(FlowDimension, HasTheServiceThatWasAddressedOnTheWayThereAndBack) {
  const auto db = named(EndpointKind::kService, "db", "shop");
  auto there = flow_with(web());
  there.owners = FlowOwners{.src = web(), .dst = web(), .dst_service = db};
  auto back = flow_with(web(), Direction::kIngress);
  back.owners = FlowOwners{.src = web(), .dst = web(), .src_service = db};
  EXPECT_EQ(name_in(there, GroupBy::kService), "shop/db");
  EXPECT_EQ(name_in(back, GroupBy::kService), "shop/db");
}

TEST(FlowDimension, HasTheProcessOfItsOwnSocket) {
  auto flow = flow_with(web());
  flow.owners = FlowOwners{.local = std::make_shared<Owner>(Owner{.pid = 7, .comm = "nginx"})};
  EXPECT_EQ(name_in(flow, GroupBy::kProcess), "nginx");
}

TEST(ServerPort, IsTheOneThatTheClientCalledHoweverHighItIs) {
  auto sent = flow_with(web());
  sent.key.src_port = 80;
  sent.key.dst_port = 50'000;
  sent.socket.role = Role::kClient;
  EXPECT_EQ(server_port(sent), 50'000);
  sent.socket.role = Role::kServer;
  EXPECT_EQ(server_port(sent), 80);
  auto received = flow_with(web(), Direction::kIngress);
  received.key.src_port = 50'000;
  received.key.dst_port = 80;
  received.socket.role = Role::kClient;
  EXPECT_EQ(server_port(received), 50'000);
  received.socket.role = Role::kServer;
  EXPECT_EQ(server_port(received), 80);
}

TEST(ServerPort, IsTheServicesWhereNobodyKnowsTheRolesAndElseTheLowerOne) {
  auto flow = flow_with(web());
  flow.key.src_port = 1'000;
  flow.key.dst_port = 30'000;
  EXPECT_EQ(server_port(flow), 1'000);
  flow.owners = FlowOwners{.dst_service = named(EndpointKind::kService, "db", "shop")};
  EXPECT_EQ(server_port(flow), 30'000);
  flow.owners = FlowOwners{.src_service = named(EndpointKind::kService, "db", "shop")};
  EXPECT_EQ(server_port(flow), 1'000);
}

TEST(ServerPort, IsNoneForIcmpAndWhatHasNoPorts) {
  auto flow = flow_with(web());
  flow.key.protocol = IPPROTO_ICMP;
  EXPECT_EQ(server_port(flow), std::nullopt);
  flow.key.protocol = 47;
  flow.key.src_port = flow.key.dst_port = 0;
  EXPECT_EQ(server_port(flow), std::nullopt);
}

}  // namespace
}  // namespace orb8
