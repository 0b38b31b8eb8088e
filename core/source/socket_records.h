// From what the probes say of a socket to the records of its two flows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <unordered_map>

#include "common/socket.h"
#include "core/kernel/boot_clock.h"
#include "core/model/addr.h"
#include "core/model/flow.h"

namespace orb8 {

// What listens: the ports of each network namespace, at an address or at all of them.
class Listeners {
 public:
  // Of a record of kind ORB8_LISTENS, or ORB8_CLOSED from the state LISTEN.
  void add(const orb8_socket_record& record);
  void remove(const orb8_socket_record& record);

  struct Process {
    std::uint32_t pid = 0;
    std::array<char, 16> comm = {};
  };
  // One that accepts connections to this port of this address; nullptr: nobody does.
  const Process* at(std::uint32_t netns, const Addr& addr, std::uint16_t port) const;

 private:
  using Place = std::tuple<std::uint32_t, std::uint16_t, Addr>;  // netns, port
  std::unordered_map<std::uint64_t, Place> by_cookie_;
  // By cookie each: several may share a port (SO_REUSEPORT).
  std::map<Place, std::map<std::uint64_t, Process>> sockets_;
};

// Sent and received, seen from the socket. No packets: there is no such flow (yet).
struct SocketFlows {
  FlowRecord egress;
  FlowRecord ingress;
};

SocketFlows to_flows(const orb8_socket_record& record, const BootClock& clock,
                     const Listeners& listeners);

}  // namespace orb8
