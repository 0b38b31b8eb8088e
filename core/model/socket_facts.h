// What only a socket can tell of its flow: how far the connection is, how well it does, how it
// ended.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orb8 {

// Which side opened the connection.
enum class Role : std::uint8_t { kUnknown, kClient, kServer };

std::string_view to_string(Role role);  // "", "client", "server"

// "ESTABLISHED", "SYN_SENT", ... as RFC 9293 and <netinet/tcp.h> name them; empty for 0.
std::string_view tcp_state_name(std::uint8_t state);

// As the kernel counts; zero where it does not, or not yet.
struct SocketFacts {
  std::uint64_t retransmitted_bytes = 0;  // first: no padding, as each flow has one of these
  std::uint32_t netns = 0;                // inode number of the network namespace
  std::uint32_t rtt_us = 0;               // smoothed (RFC 6298)
  std::uint32_t min_rtt_us = 0;
  std::uint32_t cwnd = 0;          // segments
  std::uint32_t unread_bytes = 0;  // received, not read by the application: ss's Recv-Q
  std::uint32_t unsent_bytes = 0;  // written, not acknowledged by the peer: ss's Send-Q
  std::uint32_t retransmits = 0;   // segments that this side sent again
  std::uint8_t state = 0;          // TCP_*, as in <netinet/tcp.h>; TCP_CLOSE: it is over
  std::uint8_t old_state = 0;      // of one that is over: where it was before
  Role role = Role::kUnknown;
  std::uint8_t error = 0;  // errno that the connection ended with; 0: none

  bool operator==(const SocketFacts&) const = default;
};

// Why a connection failed: "refused", "timed out", "unreachable", "reset", "gave up" (closed before
// it was answered), or the errno's own words. Empty for one that did not fail.
std::string failure_of(const SocketFacts& facts);

// The way back: puts into facts of a state what makes failure_of() say this. Of a connection that
// is over and did not fail: that it was established before. False: no connection of this state ends
// so.
bool set_failure(std::string_view failure, SocketFacts& facts);

}  // namespace orb8
