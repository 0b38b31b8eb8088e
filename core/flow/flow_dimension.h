// What flows are grouped by, and what each of them has there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/model/flow.h"

namespace orb8 {

// A flow has its own side, that it is seen from: the source of what was sent, the destination of
// what was received. The other one is its peer.
enum class GroupBy : std::uint8_t {
  kPod,
  kWorkload,
  kNamespace,
  kNode,
  kProcess,
  kService,  // that was addressed, by whichever side
  kPort,     // of the server
  kPeerPod,
  kPeerWorkload,
  kPeerNamespace,
  kPeerNode,
  kPeerIp,
};
inline constexpr std::size_t kGroupBys = 12;

// Of all but the port. Empty: nobody knows, or there is none. What is no pod, and so in no workload
// either, is called as it is elsewhere: "svc/shop/web", "node/n1", "process/sshd", "external"; what
// is in no namespace by its kind.
std::string name_in(const Flow& flow, GroupBy by);

// The port of the side that was called: as the socket knows it; else that of the Service which was
// addressed; else the lower one, since clients' ports are taken from above those of most servers.
// Absent for a protocol without ports.
std::optional<std::uint16_t> server_port(const Flow& flow);

}  // namespace orb8
