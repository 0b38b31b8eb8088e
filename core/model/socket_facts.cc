// SPDX-License-Identifier: Apache-2.0
#include "core/model/socket_facts.h"

#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace orb8 {
namespace {

constexpr std::array<std::string_view, 13> kStates = {
    "",      "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
    "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kClient:
      return "client";
    case Role::kServer:
      return "server";
    case Role::kUnknown:
      break;
  }
  return "";
}

std::string_view tcp_state_name(std::uint8_t state) {
  return state < kStates.size() ? kStates.at(state) : "";
}

std::string failure_of(const SocketFacts& facts) {
  if (facts.state != TCP_CLOSE) return "";
  switch (facts.error) {
    case 0:
      return facts.old_state == TCP_SYN_SENT ? "gave up" : "";
    case ECONNREFUSED:
      return "refused";
    case ETIMEDOUT:
      return "timed out";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "unreachable";
    case ECONNRESET:
    case EPIPE:  // reset after the peer's FIN
      return "reset";
    default:
      return std::generic_category().message(facts.error);
  }
}

bool set_failure(std::string_view failure, SocketFacts& facts) {
  facts.error = 0;
  facts.old_state = facts.state;
  if (facts.state != TCP_CLOSE) return failure.empty();
  facts.old_state = TCP_ESTABLISHED;
  if (failure.empty()) return true;
  facts.old_state = TCP_SYN_SENT;
  // Error 0 is "gave up"; the largest that Linux has is 133 (EHWPOISON).
  for (std::uint8_t error = 0; error <= EHWPOISON; ++error) {
    facts.error = error;
    if (failure_of(facts) == failure) return true;
  }
  return false;
}

}  // namespace orb8
