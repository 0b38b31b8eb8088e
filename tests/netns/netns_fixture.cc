// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/netns_fixture.h"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "core/kernel/network_probes.h"
#include "tests/netns/topology.h"

namespace orb8::netns {
namespace {

// Empty: nothing is missing.
std::string what_is_missing() {
  if (::geteuid() != 0) return "root is needed to make network namespaces and to attach probes";
  try {
    const NetNs probe;
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  if (auto probes = NetworkProbes::load({.max_flows = 1}); !probes) return probes.error().what;
  return "";
}

}  // namespace

void NetnsTest::SetUp() {
  static const std::string missing = what_is_missing();
  if (missing.empty()) return;
  if (std::getenv("ORB8_REQUIRE_BPF") != nullptr) FAIL() << missing;
  GTEST_SKIP() << missing;
}

}  // namespace orb8::netns
