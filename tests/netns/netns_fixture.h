// What every test of this folder stands on: root and a kernel that takes the probes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

namespace orb8::netns {

// Skips with a word where this machine cannot run it, and fails instead where ORB8_REQUIRE_BPF is
// set.
class NetnsTest : public testing::Test {
 protected:
  void SetUp() override;
};

// Of a test whose parameter is the address family.
inline std::string family_name(const testing::TestParamInfo<int>& family) {
  return family.param == AF_INET ? "IPv4" : "IPv6";
}

}  // namespace orb8::netns
