// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/pod_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kUplink = 2;
constexpr std::uint32_t kBridge = 3;
constexpr std::uint32_t kEnd = 7;
constexpr std::uint32_t kOtherEnd = 8;

LinkFacts end(std::uint32_t master = 0) {
  return {.master = master, .up = true, .veth = true, .peer_elsewhere = true};
}

// A node: an uplink with the default route, a bridge with an address, two pods on it.
std::map<std::uint32_t, LinkFacts> node() {
  return {{kUplink, {.up = true, .default_route = true, .network_address = true}},
          {kBridge, {.up = true, .network_address = true}},
          {kEnd, end(kBridge)},
          {kOtherEnd, end(kBridge)}};
}

TEST(PodEnds, AreABridgesPortsWhosePeerIsElsewhere) {
  EXPECT_THAT(pod_ends(node()), ElementsAre(kEnd, kOtherEnd));
}

TEST(PodEnds, AreThereBeforeTheyAreUpWhereABridgeHasThem) {
  auto links = node();
  links[kEnd].up = false;
  EXPECT_THAT(pod_ends(links), ElementsAre(kEnd, kOtherEnd));
}

TEST(PodEnds, AreThoseWithoutAnAddressThatPacketsAreRoutedTo) {
  auto links = node();
  links[kEnd].master = 0;
  EXPECT_THAT(pod_ends(links), ElementsAre(kEnd, kOtherEnd));
  links.erase(kBridge);
  links[kOtherEnd].master = 0;
  EXPECT_THAT(pod_ends(links), ElementsAre(kEnd, kOtherEnd));
}

TEST(PodEnds, AreNotThoseThatAreDownAndMayGetAnAddressYet) {
  auto links = node();
  links[kEnd] = end();
  links[kEnd].up = false;
  EXPECT_THAT(pod_ends(links), ElementsAre(kOtherEnd));
}

TEST(PodEnds, AreNotTheOnlyInterfaceOfAContainerThatHasNoAddressYet) {
  EXPECT_THAT(pod_ends({{1, {.up = true}}, {kEnd, end()}}), IsEmpty());
}

TEST(PodEnds, AreNotVethsWithinTheNamespaceNorOtherKinds) {
  auto links = node();
  links[kEnd].peer_elsewhere = false;
  links[kOtherEnd].veth = false;  // a macvlan's lower device may be elsewhere, too
  EXPECT_THAT(pod_ends(links), IsEmpty());
}

TEST(PodEnds, AreNotAContainersOwnInterfaces) {
  auto eth0 = end();
  eth0.default_route = true;  // with a single address, as Calico gives to pods
  auto eth1 = end();
  eth1.network_address = true;  // a second network, without a default route
  EXPECT_THAT(pod_ends({{2, eth0}, {3, eth1}}), IsEmpty());
}

TEST(PodEnds, AreNotTheUplinkOfAContainerThatBridgesItsOwn) {
  auto links = node();
  links.erase(kUplink);
  links[kBridge].default_route = true;
  EXPECT_THAT(pod_ends(links), IsEmpty());
}

TEST(PodEnds, AreTheOtherPortsOfABridgeWithTheMachinesOwnNetworkCard) {
  auto links = node();
  links[kBridge].default_route = true;
  links[kUplink] = {.master = kBridge, .up = true};
  EXPECT_THAT(pod_ends(links), ElementsAre(kEnd, kOtherEnd));
}

}  // namespace
}  // namespace orb8
