// SPDX-License-Identifier: Apache-2.0
#include "core/model/packet_filter.h"

namespace orb8 {

bool PacketFilter::matches(const FlowKey& key) const noexcept {
  if (prefix && !prefix->contains(key.src) && !prefix->contains(key.dst)) return false;
  // ICMP keeps its type and code where others have ports: no port matches them.
  if (port && is_icmp(key.protocol)) return false;
  if (port && *port != key.src_port && *port != key.dst_port) return false;
  if (protocol && *protocol != key.protocol) return false;
  return !direction || *direction == key.direction;
}

}  // namespace orb8
