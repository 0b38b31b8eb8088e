// What the command line shows of two pods of one node, without being told where to look.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <csignal>
#include <string>

#include "tests/integration/command_line.h"
#include "tests/integration/process.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/node_with_pods.h"
#include "tests/netns/traffic.h"

namespace orb8::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class PodPackets : public netns::NetnsTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(EachSource, PodPackets, testing::Values("socket", "tc"),
                         [](const auto& source) { return std::string(source.param); });

TEST_P(PodPackets, AreShownAsTheSenderSeesThem) {
  const netns::NodeWithPods net;
  net.up();
  const auto on_node = net.node().enter();
  for (const auto& [from, to] : {std::pair{1U, 2U}, {3U, 4U}}) {
    const netns::Ends ends{net.pod(from).v4, 5000, net.pod(to).v4, netns::kPort};
    Process orb8("orb8", command_line(fmt::format(
                             "trace network --standalone --flow-source {} --packets --ip {} "
                             "--protocol udp",
                             GetParam(), to_string(ends.src))));
    ASSERT_TRUE(orb8.says("tracing")) << orb8.err();
    netns::UdpSink sink(*net.pod(to).ns, ends.dst, ends.dst_port);
    netns::UdpSender sender(*net.pod(from).ns, ends);
    while (!orb8.prints("\n", 20ms)) sender.send(1, 100);
    orb8.signal(SIGINT);
    ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
    EXPECT_THAT(orb8.out(), HasSubstr(fmt::format("egress  UDP {}:5000 > {}:{}: length {}",
                                                  to_string(ends.src), to_string(ends.dst),
                                                  ends.dst_port, netns::udp_frame(ends.src, 100))));
    EXPECT_THAT(orb8.out(), Not(HasSubstr("ingress")));
  }
}

}  // namespace
}  // namespace orb8::integration
