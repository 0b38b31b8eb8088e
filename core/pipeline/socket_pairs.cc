// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/socket_pairs.h"

#include <utility>

namespace orb8 {
namespace {

// What an end is found by: the flow as it is sent from here, with the namespace in the socket's
// place where the addresses mean nothing without it.
FlowKey as_sent(FlowKey key, std::uint32_t netns) {
  if (key.direction == Direction::kIngress) {
    std::swap(key.src, key.dst);
    std::swap(key.src_port, key.dst_port);
    key.direction = Direction::kEgress;
  }
  key.socket = key.src.is_loopback() || key.dst.is_loopback() ? netns : 0;
  return key;
}

FlowKey other_end(FlowKey sent) {
  std::swap(sent.src, sent.dst);
  std::swap(sent.src_port, sent.dst_port);
  return sent;
}

}  // namespace

std::optional<SocketPairs::End> SocketPairs::add(const FlowKey& key, std::uint32_t netns,
                                                 OwnerRef owner) {
  const auto sent = as_sent(key, netns);
  ends_[sent] = {.owner = std::move(owner), .socket = key.socket};
  const auto other = ends_.find(other_end(sent));
  if (other == ends_.end() || other->second.socket == key.socket) return std::nullopt;
  return other->second;
}

void SocketPairs::remove(const FlowKey& key, std::uint32_t netns) {
  const auto found = ends_.find(as_sent(key, netns));
  if (found != ends_.end() && found->second.socket == key.socket) ends_.erase(found);
}

}  // namespace orb8
