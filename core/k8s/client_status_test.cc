// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/client_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/log_capture.h"

namespace orb8::k8s {
namespace {

using ::testing::HasSubstr;

TEST(ClientStatus, LogsAProblemOnceHoweverOftenAndWhoeverMeetsIt) {
  const LogCapture log;
  ClientStatus status;
  for (int i = 0; i < 5; ++i) {
    for (const auto kind : kKinds) status.failed(kind, "the server is away");
    status.failed(Kind::kPod, "not allowed");
  }
  EXPECT_EQ(log.text(),
            "warning Kubernetes: the server is away\nwarning Kubernetes: not allowed\n");
  EXPECT_EQ(status.counters().failed_requests, 25U);
}

TEST(ClientStatus, LogsOnceThatAllIsWellAgain) {
  const LogCapture log;
  ClientStatus status;
  for (int i = 0; i < 3; ++i) {
    status.failed(Kind::kPod, "away");
    status.failed(Kind::kNode, "away");
    status.works(Kind::kPod);
    EXPECT_FALSE(status.component().healthy);
    status.works(Kind::kNode);
  }
  EXPECT_EQ(log.text(),
            "warning Kubernetes: away\ninfo Kubernetes: the API server answers again\n");
}

TEST(ClientStatus, IsHealthyWhenAllIsListedAndNothingFails) {
  ClientStatus status;
  for (const auto kind : kKinds) {
    EXPECT_FALSE(status.synced());
    EXPECT_THAT(status.component().reason,
                HasSubstr("the first list of " + std::string(resource_of(kind))));
    status.listed(kind);
  }
  EXPECT_TRUE(status.synced());
  EXPECT_TRUE(status.component().healthy);
  EXPECT_EQ(status.component().name, "kubernetes");
  status.failed(Kind::kService, "no more");
  EXPECT_FALSE(status.component().healthy);
  EXPECT_EQ(status.component().reason, "no more");
  EXPECT_TRUE(status.synced());
}

}  // namespace
}  // namespace orb8::k8s
