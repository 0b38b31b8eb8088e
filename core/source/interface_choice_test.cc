// SPDX-License-Identifier: Apache-2.0
#include "core/source/interface_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::map<std::uint32_t, Interface> machine() {
  std::map<std::uint32_t, Interface> all;
  std::uint32_t ifindex = 0;
  for (const char* name : {"lo", "eth0", "eth1", "docker0", "br-5f3a", "cni0", "veth1", "ib0"}) {
    ++ifindex;
    all[ifindex] = {.ifindex = ifindex, .name = name};
  }
  all[3].default_route = true;
  return all;
}

std::vector<std::string> names(const std::vector<Interface>& interfaces) {
  std::vector<std::string> out;
  out.reserve(interfaces.size());
  for (const auto& interface : interfaces) out.push_back(interface.name);
  return out;
}

TEST(InterfaceChoice, TakesTheDefaultRouteThenBridgesThenLoopback) {
  EXPECT_THAT(names(choose_interfaces(machine(), {})),
              ElementsAre("eth1", "cni0", "docker0", "br-5f3a", "lo"));
}

TEST(InterfaceChoice, TakesEachInterfaceWithADefaultRoute) {
  auto interfaces = machine();
  interfaces[2].default_route = true;
  interfaces[8].default_route = true;
  EXPECT_THAT(names(choose_interfaces(interfaces, {})),
              ElementsAre("eth0", "eth1", "ib0", "cni0", "docker0", "br-5f3a", "lo"));
}

TEST(InterfaceChoice, TakesTheHostsEndsOfPodsVethsBeforeLoopback) {
  auto interfaces = machine();
  interfaces[7].pod_end = true;
  interfaces[9] = {.ifindex = 9, .name = "cali1f3", .pod_end = true};
  EXPECT_THAT(names(choose_interfaces(interfaces, {})),
              ElementsAre("eth1", "cni0", "docker0", "br-5f3a", "veth1", "cali1f3", "lo"));
  EXPECT_THAT(names(choose_interfaces(interfaces, {"eth1"})), ElementsAre("eth1"));
}

TEST(InterfaceChoice, TakesABridgeWithTheDefaultRouteOnce) {
  auto interfaces = machine();
  interfaces[6].default_route = true;
  EXPECT_THAT(names(choose_interfaces(interfaces, {})),
              ElementsAre("eth1", "cni0", "docker0", "br-5f3a", "lo"));
}

TEST(InterfaceChoice, LetsPatternsReplaceTheDefaults) {
  EXPECT_THAT(names(choose_interfaces(machine(), {"veth*", "eth?"})),
              ElementsAre("veth1", "eth0", "eth1"));
}

TEST(InterfaceChoice, FindsNothingForAPatternThatMatchesNothing) {
  EXPECT_THAT(names(choose_interfaces(machine(), {"wlan*"})), IsEmpty());
}

}  // namespace
}  // namespace orb8
