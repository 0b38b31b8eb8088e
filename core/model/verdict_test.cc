// SPDX-License-Identifier: Apache-2.0
#include "core/model/verdict.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <string>

namespace orb8 {
namespace {

Flow connection(const SocketFacts& facts, std::uint8_t flags = 0) {
  Flow flow;
  flow.key.protocol = IPPROTO_TCP;
  flow.socket = facts;
  flow.tcp_flags = flags;
  return flow;
}

// "e" established, "f" failed, "r" reset: all that hold.
std::string verdicts(const Flow& flow) {
  std::string text;
  for (const auto verdict : {Verdict::kEstablished, Verdict::kFailed, Verdict::kReset}) {
    if (has_verdict(flow, verdict)) text += to_string(verdict).front();
  }
  return text;
}

TEST(Verdict, ReadsWhatItPrints) {
  for (const auto verdict : {Verdict::kEstablished, Verdict::kFailed, Verdict::kReset}) {
    EXPECT_EQ(parse_verdict(to_string(verdict)), verdict);
  }
  EXPECT_FALSE(parse_verdict(""));
  EXPECT_FALSE(parse_verdict("Reset"));
}

TEST(Verdict, OfASocketIsHowItsConnectionStandsOrEnded) {
  EXPECT_EQ(verdicts(connection({.state = TCP_ESTABLISHED})), "e");
  EXPECT_EQ(verdicts(connection({.state = TCP_CLOSE_WAIT})), "e");
  EXPECT_EQ(verdicts(connection({.state = TCP_SYN_SENT})), "");
  EXPECT_EQ(verdicts(connection({.state = TCP_CLOSE, .old_state = TCP_LAST_ACK})), "e");
  EXPECT_EQ(verdicts(connection({.state = TCP_CLOSE, .old_state = TCP_SYN_SENT})), "f");
}

TEST(Verdict, OfAConnectionThatWasResetIsThatItFailedToo) {
  EXPECT_EQ(
      verdicts(connection({.state = TCP_CLOSE, .old_state = TCP_ESTABLISHED, .error = ECONNRESET})),
      "fr");
  EXPECT_EQ(
      verdicts(connection({.state = TCP_CLOSE, .old_state = TCP_SYN_SENT, .error = ECONNREFUSED})),
      "f");
  EXPECT_EQ(
      verdicts(connection({.state = TCP_CLOSE, .old_state = TCP_ESTABLISHED, .error = ETIMEDOUT})),
      "f");
}

TEST(Verdict, OfPacketsIsWhatTheirFlagsTell) {
  EXPECT_EQ(verdicts(connection({}, kTcpSyn)), "");
  EXPECT_EQ(verdicts(connection({}, kTcpSyn | kTcpAck)), "e");
  EXPECT_EQ(verdicts(connection({}, kTcpRst | kTcpAck)), "r");
}

TEST(Verdict, IsOfTcpAlone) {
  auto flow = connection({.state = TCP_ESTABLISHED}, kTcpAck);
  flow.key.protocol = IPPROTO_UDP;
  EXPECT_EQ(verdicts(flow), "");
}

}  // namespace
}  // namespace orb8
