// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_matcher.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace orb8 {
namespace {

// Of the pod shop/web-0 to the Service infra/dns, behind which infra/dns-1 stands.
Flow dns_query() {
  Flow flow;
  flow.key = {.src = Addr::v4(10, 0, 0, 1),
              .dst = Addr::v4(192, 168, 1, 53),
              .src_port = 40000,
              .dst_port = 53,
              .protocol = IPPROTO_UDP,
              .direction = Direction::kEgress};
  return flow;
}

EndpointRef pod(const std::string& name_space, const std::string& name) {
  return std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kPod,
                                                   .name_space = name_space,
                                                   .name = name,
                                                   .workload_kind = "Deployment",
                                                   .workload = name.substr(0, name.find('-')),
                                                   .node = "node-" + name.substr(name.size() - 1),
                                                   .labels = {{"app", name.substr(0, 3)}}});
}

EndpointRef one_of(EndpointKind kind, const std::string& name_space, const std::string& name) {
  return std::make_shared<const Endpoint>(
      Endpoint{.kind = kind, .name_space = name_space, .name = name});
}

Flow between_pods() {
  auto flow = dns_query();
  flow.owners = FlowOwners{
      .src = pod("shop", "web-0"),
      .dst = pod("infra", "dns-1"),
      .dst_service = one_of(EndpointKind::kService, "infra", "dns"),
      .local = std::make_shared<const Owner>(Owner{
          .comm = "nginx", .container_id = "0123456789abcdef0123", .container_name = "server"})};
  return flow;
}

bool matches(FlowFilter filter, const Flow& flow) {
  return FlowMatcher({.all = std::move(filter)}).matches(flow);
}

template <class T>
T parsed(const std::optional<T>& value) {
  EXPECT_TRUE(value);
  return value.value_or(T{});
}

EndpointFilter in(std::string_view name_space) {
  return {.namespaces = {parsed(parse_name_pattern(name_space))}};
}

EndpointFilter a_pod(std::string_view name) {
  return {.pods = {parsed(parse_scoped_pattern(name))}};
}

EndpointFilter within(std::string_view prefix) {
  return {.prefixes = {parsed(parse_prefix(prefix))}};
}

EndpointFilter at_port(std::string_view range) {
  return {.ports = {parsed(parse_port_range(range))}};
}

TEST(FlowMatcher, MatchesEverythingWhenNothingIsAsked) {
  EXPECT_TRUE(FlowMatcher().matches(dns_query()));
  EXPECT_TRUE(FlowMatcher(FlowSelection{}).matches(between_pods()));
}

TEST(FlowMatcher, ComparesAddressesAndPortsOfEitherSide) {
  EXPECT_TRUE(matches({.either = within("10.0.0.0/8")}, dns_query()));
  EXPECT_TRUE(matches({.either = within("192.168.1.53")}, dns_query()));
  EXPECT_FALSE(matches({.either = within("11.0.0.0/8")}, dns_query()));
  EXPECT_TRUE(matches({.either = at_port("53")}, dns_query()));
  EXPECT_TRUE(matches({.either = at_port("39999-40000")}, dns_query()));
  EXPECT_FALSE(matches({.either = at_port("54-80")}, dns_query()));
}

TEST(FlowMatcher, ComparesAddressesAndPortsOfTheSideThatIsNamed) {
  EXPECT_TRUE(matches({.source = within("10.0.0.0/8")}, dns_query()));
  EXPECT_FALSE(matches({.destination = within("10.0.0.0/8")}, dns_query()));
  EXPECT_TRUE(matches({.destination = at_port("53")}, dns_query()));
  EXPECT_FALSE(matches({.source = at_port("53")}, dns_query()));
}

TEST(FlowMatcher, TakesAnAddressAndAPortOfDifferentSides) {
  auto filter = within("10.0.0.1");
  filter.ports = at_port("53").ports;
  EXPECT_TRUE(matches({.either = filter}, dns_query()));
  EXPECT_FALSE(matches({.source = filter}, dns_query()));
}

TEST(FlowMatcher, IsAnOrWithinAFieldAndAnAndBetweenFields) {
  FlowFilter filter{.either = {.ports = {{80, 80}, {53, 53}}},
                    .protocols = {IPPROTO_TCP, IPPROTO_UDP}};
  EXPECT_TRUE(matches(filter, dns_query()));
  filter.protocols = {IPPROTO_TCP};
  EXPECT_FALSE(matches(filter, dns_query()));
}

TEST(FlowMatcher, DoesNotTakeAnIcmpTypeForAPort) {
  auto echo = dns_query();
  echo.key.protocol = IPPROTO_ICMP;
  echo.key.src_port = 8;
  echo.key.dst_port = 0;
  EXPECT_FALSE(matches({.either = at_port("8")}, echo));
  EXPECT_FALSE(matches({.source = at_port("0-65535")}, echo));
}

TEST(FlowMatcher, TellsTheIpVersionsApart) {
  EXPECT_TRUE(matches({.versions = {IpVersion::kV4}}, dns_query()));
  EXPECT_FALSE(matches({.versions = {IpVersion::kV6}}, dns_query()));
}

TEST(FlowMatcher, KnowsAFlowOfNobodyAsExternalUnknown) {
  EXPECT_TRUE(matches({.either = in("external")}, dns_query()));
  EXPECT_TRUE(matches({.either = a_pod("unknown")}, dns_query()));
  EXPECT_FALSE(matches({.either = in("shop")}, dns_query()));
  EXPECT_FALSE(matches({.source = in("external")}, dns_query())) << "it is not said which side";
}

TEST(FlowMatcher, FindsAPodOnEitherSide) {
  EXPECT_TRUE(matches({.either = in("shop")}, between_pods()));
  EXPECT_TRUE(matches({.either = in("infra")}, between_pods()));
  EXPECT_TRUE(matches({.either = in("inf*")}, between_pods()));
  EXPECT_TRUE(matches({.either = a_pod("dns-1")}, between_pods()));
  EXPECT_TRUE(matches({.either = a_pod("infra/dns-*")}, between_pods()));
  EXPECT_FALSE(matches({.either = a_pod("web-1")}, between_pods()));
}

TEST(FlowMatcher, FindsAPodOnTheSideThatIsNamed) {
  EXPECT_TRUE(matches({.source = in("shop"), .destination = in("infra")}, between_pods()));
  EXPECT_FALSE(matches({.source = in("infra")}, between_pods()));
  EXPECT_TRUE(matches({.source = a_pod("web-0")}, between_pods()));
  EXPECT_FALSE(matches({.destination = a_pod("web-0")}, between_pods()));
}

TEST(FlowMatcher, WantsAllThatIsSaidOfSomebodyOfOneSide) {
  auto filter = in("infra");
  filter.pods = a_pod("dns-1").pods;
  EXPECT_TRUE(matches({.either = filter}, between_pods()));
  filter.namespaces = in("shop").namespaces;
  EXPECT_FALSE(matches({.either = filter}, between_pods()));
}

TEST(FlowMatcher, TakesNothingButAPodForAPod) {
  for (const auto kind : {EndpointKind::kService, EndpointKind::kProcess, EndpointKind::kNode}) {
    auto flow = dns_query();
    flow.owners = FlowOwners{.dst = one_of(kind, "shop", "web")};
    EXPECT_FALSE(matches({.either = a_pod("web")}, flow)) << to_string(kind);
    EXPECT_FALSE(matches({.either = {.labels = {*LabelSelector::parse("!app")}}}, flow));
  }
}

TEST(FlowMatcher, FindsTheNamespaceOfAService) {
  auto flow = dns_query();
  flow.owners = FlowOwners{.dst = one_of(EndpointKind::kService, "shop", "web")};
  EXPECT_TRUE(matches({.either = in("shop")}, flow));
}

TEST(FlowMatcher, FindsWorkloadsLabelsAndNodes) {
  EXPECT_TRUE(
      matches({.either = {.workloads = {*parse_workload_pattern("deploy/web")}}}, between_pods()));
  EXPECT_FALSE(
      matches({.destination = {.workloads = {*parse_workload_pattern("web")}}}, between_pods()));
  EXPECT_TRUE(
      matches({.either = {.labels = {*LabelSelector::parse("app in (web)")}}}, between_pods()));
  EXPECT_FALSE(matches({.source = {.labels = {*LabelSelector::parse("app=dns")}}}, between_pods()));
  EXPECT_TRUE(matches({.either = {.nodes = {*parse_name_pattern("node-1")}}}, between_pods()));
  EXPECT_FALSE(matches({.source = {.nodes = {*parse_name_pattern("node-1")}}}, between_pods()));
}

TEST(FlowMatcher, FindsANodeItself) {
  auto flow = dns_query();
  flow.owners = FlowOwners{.dst = one_of(EndpointKind::kNode, "", "node-7")};
  EXPECT_TRUE(matches({.destination = {.nodes = {*parse_name_pattern("node-7")}}}, flow));
}

TEST(FlowMatcher, FindsTheServiceThatWasAddressed) {
  const auto service = [](std::string_view name) {
    return EndpointFilter{.services = {parsed(parse_scoped_pattern(name))}};
  };
  EXPECT_TRUE(matches({.either = service("infra/dns")}, between_pods()));
  EXPECT_TRUE(matches({.destination = service("dns")}, between_pods()));
  EXPECT_FALSE(matches({.source = service("dns")}, between_pods()));
  EXPECT_FALSE(matches({.either = service("shop/dns")}, between_pods()));
  auto only = dns_query();  // without a pod behind it that were known
  only.owners = FlowOwners{.dst = one_of(EndpointKind::kService, "infra", "dns")};
  EXPECT_TRUE(matches({.either = service("infra/dns")}, only));
}

TEST(FlowMatcher, FindsProcessAndContainerOnTheSideThatIsHere) {
  const EndpointFilter nginx{.processes = {*parse_name_pattern("nginx")}};
  EXPECT_TRUE(matches({.either = nginx}, between_pods()));
  EXPECT_TRUE(matches({.source = nginx}, between_pods()));
  EXPECT_FALSE(matches({.destination = nginx}, between_pods()));
  auto received = between_pods();
  received.key.direction = Direction::kIngress;
  EXPECT_TRUE(matches({.destination = nginx}, received));
  const auto container = [](std::string_view text) {
    return EndpointFilter{.containers = {parsed(parse_name_pattern(text))}};
  };
  EXPECT_TRUE(matches({.either = container("server")}, between_pods()));
  EXPECT_TRUE(matches({.either = container("0123456789ab")}, between_pods()));
  EXPECT_FALSE(matches({.either = container("0123456789a")}, between_pods())) << "too short an id";
}

TEST(FlowMatcher, ComparesAmounts) {
  auto flow = dns_query();
  flow.bytes = 1000;
  flow.socket.rtt_us = 50'000;
  flow.socket.retransmits = 3;
  EXPECT_TRUE(matches({.min_bytes = 1000, .min_rtt_us = 50'000, .min_retransmits = 3}, flow));
  EXPECT_FALSE(matches({.min_bytes = 1001}, flow));
  EXPECT_FALSE(matches({.min_rtt_us = 50'001}, flow));
  EXPECT_FALSE(matches({.min_retransmits = 4}, flow));
}

TEST(FlowMatcher, WantsAllFlagsOfOneValue) {
  auto flow = dns_query();
  flow.tcp_flags = kTcpSyn | kTcpAck;
  EXPECT_TRUE(matches({.tcp_flags = {kTcpSyn}}, flow));
  EXPECT_TRUE(matches({.tcp_flags = {kTcpRst, kTcpSyn | kTcpAck}}, flow));
  EXPECT_FALSE(matches({.tcp_flags = {kTcpSyn | kTcpFin}}, flow));
}

TEST(FlowMatcher, ComparesTheVerdict) {
  auto refused = dns_query();
  refused.key.protocol = IPPROTO_TCP;
  refused.socket = {.state = TCP_CLOSE, .error = ECONNREFUSED};
  EXPECT_TRUE(matches({.verdicts = {Verdict::kEstablished, Verdict::kFailed}}, refused));
  EXPECT_FALSE(matches({.verdicts = {Verdict::kEstablished}}, refused));
}

TEST(FlowMatcher, LeavesOutWhatMustNotMatch) {
  const FlowFilter not_dns{.either = in("shop"), .none_of = {{.destination = at_port("53")}}};
  EXPECT_FALSE(matches(not_dns, between_pods()));
  auto web = between_pods();
  web.key.dst_port = 80;
  EXPECT_TRUE(matches(not_dns, web));
}

TEST(FlowMatcher, TakesAnyOfWhatIsAllowedAndNoneOfWhatIsDenied) {
  const FlowSelection selection{
      .all = {.protocols = {IPPROTO_UDP}},
      .allow = {{.destination = at_port("80")}, {.destination = at_port("53")}},
      .deny = {{.source = within("10.0.0.9")}}};
  EXPECT_TRUE(FlowMatcher(selection).matches(dns_query()));
  auto other = dns_query();
  other.key.src = Addr::v4(10, 0, 0, 9);
  EXPECT_FALSE(FlowMatcher(selection).matches(other));
  other = dns_query();
  other.key.dst_port = 54;
  EXPECT_FALSE(FlowMatcher(selection).matches(other));
  other = dns_query();
  other.key.protocol = IPPROTO_TCP;
  EXPECT_FALSE(FlowMatcher(selection).matches(other));
}

}  // namespace
}  // namespace orb8
