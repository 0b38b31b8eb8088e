// SPDX-License-Identifier: Apache-2.0
#include "agent/event_log.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <memory>

namespace orb8 {
namespace {

Event event(std::uint8_t protocol) {
  Event event;
  event.flow.key = {.src = Addr::v4(10, 0, 0, 1),
                    .dst = Addr::v4(10, 0, 0, 2),
                    .src_port = 8,
                    .dst_port = 53,
                    .protocol = protocol,
                    .direction = Direction::kIngress};
  event.bytes = 128;
  return event;
}

TEST(EventLog, WritesAnEventInOneLine) {
  EXPECT_EQ(to_log_line(event(IPPROTO_UDP)),
            "[external/unknown] 10.0.0.1:8 -> 10.0.0.2:53 UDP ingress len=128");
}

TEST(EventLog, KeepsAddressAndPortApartInIpv6) {
  auto v6 = event(IPPROTO_TCP);
  v6.flow.key.src = *parse_addr("fd00::1");
  v6.flow.key.dst = *parse_addr("fd00::2");
  v6.flow.key.direction = Direction::kEgress;
  EXPECT_EQ(to_log_line(v6), "[external/unknown] [fd00::1]:8 -> [fd00::2]:53 TCP egress len=128");
}

TEST(EventLog, ShowsNoPortsForIcmp) {
  EXPECT_EQ(to_log_line(event(IPPROTO_ICMP)),
            "[external/unknown] 10.0.0.1:0 -> 10.0.0.2:0 ICMP ingress len=128");
}

TEST(EventLog, NamesThePodAndWhoItIsWith) {
  auto of_pod = event(IPPROTO_UDP);
  FlowOwners owners;
  owners.src = external_endpoint();
  owners.dst = std::make_shared<const Endpoint>(Endpoint{EndpointKind::kPod, "shop", "web-0"});
  of_pod.flow.owners = owners;
  EXPECT_EQ(to_log_line(of_pod),
            "[shop/web-0] 10.0.0.1:8 -> 10.0.0.2:53 UDP ingress len=128 to=shop/web-0");
  owners.src = std::make_shared<const Endpoint>(Endpoint{EndpointKind::kNode, "", "node-1"});
  owners.dst_service =
      std::make_shared<const Endpoint>(Endpoint{EndpointKind::kService, "shop", "web"});
  of_pod.flow.owners = owners;
  EXPECT_EQ(to_log_line(of_pod),
            "[shop/web-0] 10.0.0.1:8 -> 10.0.0.2:53 UDP ingress len=128 from=node-1 "
            "to=shop/web-0 service=shop/web");
}

TEST(EventLog, EndsWithTheHub) {
  StreamHub hub(1);
  EventLog log(*hub.subscribe({}));
  hub.publish(event(IPPROTO_UDP));
  hub.close();
}  // the destructor waits for the thread: a hang fails

}  // namespace
}  // namespace orb8
