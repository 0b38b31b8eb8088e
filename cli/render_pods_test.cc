// SPDX-License-Identifier: Apache-2.0
#include "cli/render_pods.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace orb8 {
namespace {

v1::Pod pod(const std::string& name, const std::string& node) {
  v1::Pod made;
  made.set_namespace_("shop");
  made.set_name(name);
  made.set_uid("12345678-1234-1234-1234-123456789abc");
  made.set_node(node);
  made.set_zone("zone-a");
  made.set_workload_kind("StatefulSet");
  made.set_workload("web");
  made.add_ips("10.244.0.7");
  auto& container = *made.add_containers();
  container.set_name("nginx");
  container.set_id("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  return made;
}

v1::QueryPodsResponse answer() {
  v1::QueryPodsResponse made;
  made.set_node_name("node-1");
  made.set_kubernetes(true);
  *made.add_pods() = pod("web-0", "node-1");
  made.mutable_pods(0)->set_cgroup_found(true);
  made.mutable_pods(0)->add_ips("fd00::7");
  *made.add_pods() = pod("web-1", "node-1");
  made.mutable_pods(1)->set_host_network(true);
  made.mutable_pods(1)->add_containers()->set_name("waits");
  *made.add_pods() = pod("web-2", "node-2");
  made.mutable_pods(2)->set_finished(true);
  auto& pending = *made.add_pods();
  pending.set_namespace_("shop");
  pending.set_name("web-3");
  return made;
}

std::string rendered(const RenderStyle& style) {
  std::ostringstream out;
  render_pods(answer(), style, out);
  return out.str();
}

TEST(RenderPods, SaysOfEachPodWhetherItsSocketsCanBeToldApart) {
  EXPECT_EQ(rendered({}), R"(
NAMESPACE  NAME   IP                  NODE    WORKLOAD         CGROUP   NOTE
shop       web-0  10.244.0.7,fd00::7  node-1  StatefulSet/web  found    -
shop       web-1  10.244.0.7          node-1  StatefulSet/web  missing  host-network
shop       web-2  10.244.0.7          node-2  StatefulSet/web  -        finished
shop       web-3  -                   -       -                -        -
4 pods
)" + 1);
}

TEST(RenderPods, AddsZoneContainersAndUidWhenWide) {
  const auto text = rendered({.output = OutputFormat::kWide, .terminal_width = 40});
  EXPECT_NE(text.find("ZONE    CONTAINERS                UID\n"), std::string::npos) << text;
  EXPECT_NE(text.find("zone-a  nginx=0123456789ab,waits  12345678-1234-1234-1234-123456789abc\n"),
            std::string::npos)
      << text;
}

TEST(RenderPods, FitsATerminal) {
  std::istringstream lines(rendered({.terminal_width = 60}));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 60U) << line;
}

TEST(RenderPods, PutsOnePodOnALineAsJson) {
  const auto text = rendered({.output = OutputFormat::kJson});
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  EXPECT_TRUE(text.starts_with(R"({"namespace":"shop","name":"web-0",)")) << text;
}

}  // namespace
}  // namespace orb8
