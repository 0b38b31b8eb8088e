// Sockets of IPv4, and connections with both ends in one process.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <cstdint>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace orb8::bench {

// Host order.
sockaddr_in socket_address(std::uint32_t ip, std::uint16_t port);

struct Listener {
  UniqueFd fd;
  sockaddr_in at = {};
};
// At a port of the kernel's choice.
Result<Listener> listen_at(std::uint32_t ip);

struct Connection {
  UniqueFd client;
  UniqueFd server;
};
Result<Connection> connect_to(const Listener& listener);

// A byte there, and a byte back.
Result<void> converse(const Connection& connection);

}  // namespace orb8::bench
