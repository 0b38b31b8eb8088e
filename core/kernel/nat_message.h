// What ctnetlink says of one connection whose destination was rewritten.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "core/model/flow.h"

struct nlmsghdr;

namespace orb8 {

struct Backend {
  Addr addr;
  std::uint16_t port = 0;
  bool operator==(const Backend&) const = default;
};

struct NatMessage {
  FlowKey sent;  // as the client sent it: no direction and no socket are meant
  Backend backend;
  bool destroyed = false;
};

// Absent for a connection that goes where it was sent to, for one without ports, and for what is
// malformed.
std::optional<NatMessage> parse_nat_message(const nlmsghdr* message);

}  // namespace orb8
