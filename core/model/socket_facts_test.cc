// SPDX-License-Identifier: Apache-2.0
#include "core/model/socket_facts.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <cerrno>

namespace orb8 {
namespace {

SocketFacts ended(std::uint8_t old_state, int error) {
  SocketFacts facts;
  facts.state = TCP_CLOSE;
  facts.old_state = old_state;
  facts.error = static_cast<std::uint8_t>(error);
  return facts;
}

TEST(SocketFacts, SayWhyAConnectionFailed) {
  EXPECT_EQ(failure_of(ended(TCP_SYN_SENT, ECONNREFUSED)), "refused");
  EXPECT_EQ(failure_of(ended(TCP_SYN_SENT, ETIMEDOUT)), "timed out");
  EXPECT_EQ(failure_of(ended(TCP_SYN_SENT, EHOSTUNREACH)), "unreachable");
  EXPECT_EQ(failure_of(ended(TCP_SYN_SENT, ENETUNREACH)), "unreachable");
  EXPECT_EQ(failure_of(ended(TCP_ESTABLISHED, ECONNRESET)), "reset");
  EXPECT_EQ(failure_of(ended(TCP_CLOSE_WAIT, EPIPE)), "reset");
  EXPECT_EQ(failure_of(ended(TCP_SYN_SENT, 0)), "gave up");
  EXPECT_EQ(failure_of(ended(TCP_ESTABLISHED, EPERM)), "Operation not permitted");
}

TEST(SocketFacts, DoNotCallFailedWhatEndedInOrderOrGoesOn) {
  EXPECT_EQ(failure_of(ended(TCP_LAST_ACK, 0)), "");
  SocketFacts open;
  open.state = TCP_ESTABLISHED;
  open.error = ECONNRESET;
  EXPECT_EQ(failure_of(open), "");
}

TEST(SocketFacts, AreMadeOfTheFailureThatTheyTell) {
  for (int error = 0; error <= EHWPOISON; ++error) {
    const auto failure = failure_of(ended(TCP_SYN_SENT, error));
    SocketFacts facts;
    facts.state = TCP_CLOSE;
    ASSERT_TRUE(set_failure(failure, facts)) << failure;
    EXPECT_EQ(failure_of(facts), failure);
  }
  SocketFacts facts;
  facts.state = TCP_CLOSE;
  ASSERT_TRUE(set_failure("", facts));
  EXPECT_EQ(failure_of(facts), "");
  EXPECT_EQ(facts.old_state, TCP_ESTABLISHED);
}

TEST(SocketFacts, AreNotMadeOfAFailureThatThereIsNot) {
  SocketFacts facts;
  facts.state = TCP_CLOSE;
  EXPECT_FALSE(set_failure("bored", facts));
  facts.state = TCP_ESTABLISHED;
  EXPECT_FALSE(set_failure("refused", facts)) << "it goes on";
  EXPECT_TRUE(set_failure("", facts));
}

TEST(SocketFacts, NameStatesAndRoles) {
  EXPECT_EQ(tcp_state_name(TCP_ESTABLISHED), "ESTABLISHED");
  EXPECT_EQ(tcp_state_name(TCP_CLOSING), "CLOSING");
  EXPECT_EQ(tcp_state_name(0), "");
  EXPECT_EQ(tcp_state_name(200), "");
  EXPECT_EQ(to_string(Role::kServer), "server");
  EXPECT_EQ(to_string(Role::kUnknown), "");
}

}  // namespace
}  // namespace orb8
