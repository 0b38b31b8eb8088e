// SPDX-License-Identifier: Apache-2.0
#include "core/model/verdict.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>

namespace orb8 {
namespace {

constexpr std::array kVerdicts = {Verdict::kEstablished, Verdict::kFailed, Verdict::kReset};

bool is_past_handshake(std::uint8_t state) {
  switch (state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_TIME_WAIT:
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
    case TCP_CLOSING:
      return true;
    default:
      return false;
  }
}

bool is_established(const Flow& flow) {
  const auto& facts = flow.socket;
  if (facts.state == 0) {
    return (flow.tcp_flags & kTcpAck) != 0 && (flow.tcp_flags & kTcpRst) == 0;
  }
  if (facts.state != TCP_CLOSE) return is_past_handshake(facts.state);
  return facts.error == 0 && is_past_handshake(facts.old_state);
}

bool is_reset(const Flow& flow) {
  if (flow.socket.state == 0) return (flow.tcp_flags & kTcpRst) != 0;
  return failure_of(flow.socket) == "reset";
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFailed:
      return "failed";
    case Verdict::kReset:
      return "reset";
    case Verdict::kEstablished:
      break;
  }
  return "established";
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  for (const auto verdict : kVerdicts) {
    if (to_string(verdict) == text) return verdict;
  }
  return std::nullopt;
}

bool has_verdict(const Flow& flow, Verdict verdict) {
  switch (verdict) {
    case Verdict::kFailed:
      return !failure_of(flow.socket).empty();
    case Verdict::kReset:
      return flow.key.protocol == IPPROTO_TCP && is_reset(flow);
    case Verdict::kEstablished:
      break;
  }
  return flow.key.protocol == IPPROTO_TCP && is_established(flow);
}

}  // namespace orb8
