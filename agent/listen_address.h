// Where a server listens, as text, and why it cannot.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"

namespace orb8 {

struct ListenAddress {
  // `host` may be in brackets: "[::]" is "::".
  ListenAddress(std::string host, std::uint16_t port);

  std::string host;  // without brackets
  std::uint16_t port;
};

// "127.0.0.1:9090", "[::]:9090"
std::string to_string(const ListenAddress& address);

// The libraries say that they cannot listen, but not why. Tries it and words what comes out:
// `server` is "gRPC" or "health", as in the flags --grpc-port and --health-port.
Error listen_error(const std::string& server, const ListenAddress& address);

}  // namespace orb8
