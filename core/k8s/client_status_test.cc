// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/client_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

namespace orb8::k8s {
namespace {

using ::testing::HasSubstr;

// What is logged while it lives.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
    spdlog::set_pattern("%l %v");
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  std::string text() const { return text_.str(); }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

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
