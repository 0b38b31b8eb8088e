// What the tests of whole programs stand on: a network of their own, with nothing but loopback.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/base/unique_fd.h"
#include "tests/netns/netns_fixture.h"

namespace orb8::integration {

// The whole test program moves into the namespace, so that gRPC's threads are in it as well; it
// needs no free ports, and nobody else's packets are seen.
class ProcessTest : public netns::NetnsTest {
 protected:
  void SetUp() override;
};

// A port of loopback that is free when asked for. Tests that start servers run one at a time.
std::uint16_t free_port();

// A socket that sends to itself: each datagram leaves and enters loopback.
class LoopbackUdp {
 public:
  LoopbackUdp();
  std::uint16_t port() const { return port_; }
  void send(std::size_t count, std::size_t payload) const;

 private:
  UniqueFd fd_;
  std::uint16_t port_ = 0;
};

// A port on which connections are taken and never answered.
class SilentListener {
 public:
  SilentListener();
  std::string address() const;  // HOST:PORT

 private:
  UniqueFd fd_;
};

}  // namespace orb8::integration
