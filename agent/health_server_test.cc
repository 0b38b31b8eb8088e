// SPDX-License-Identifier: Apache-2.0
#include "agent/health_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <nlohmann/json.hpp>

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class HealthServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = *HealthServer::start("127.0.0.1", 0, [this] { return status_; });
  }

  std::pair<int, std::string> get(const std::string& path) const {
    httplib::Client client("127.0.0.1", server_->port());
    const auto answer = client.Get(path.c_str());
    return answer ? std::pair(answer->status, answer->body) : std::pair(0, std::string());
  }

  Status status_;
  std::unique_ptr<HealthServer> server_;
};

TEST_F(HealthServerTest, IsOkWhileEveryComponentIs) {
  status_.components = {{.name = "flow-source"}};
  const auto [code, body] = get("/healthz");
  EXPECT_EQ(code, 200);
  EXPECT_EQ(Json::parse(body),
            Json::parse(R"({"status":"ok","components":[{"name":"flow-source","healthy":true}]})"));
}

TEST_F(HealthServerTest, Answers503WithTheReasonOfEachComponent) {
  status_.components = {{.name = "flow-source"},
                        {.name = "interfaces", .healthy = false, .reason = "attach to \"eth0\""}};
  const auto [code, body] = get("/healthz");
  EXPECT_EQ(code, 503);
  const auto json = Json::parse(body);
  EXPECT_EQ(json["status"], "degraded");
  EXPECT_EQ(json["components"][1]["reason"], "attach to \"eth0\"");
}

TEST_F(HealthServerTest, IsReadyOnlyWhenToldSo) {
  EXPECT_EQ(get("/readyz").first, 503);
  server_->set_ready(true);
  EXPECT_EQ(get("/readyz").first, 200);
  EXPECT_EQ(Json::parse(get("/readyz").second)["status"], "ready");
}

TEST_F(HealthServerTest, HasNothingElse) {
  const auto [code, body] = get("/metrics/");
  EXPECT_EQ(code, 404);
  EXPECT_TRUE(Json::parse(body).contains("error"));
}

TEST_F(HealthServerTest, DoesNotShareItsPort) {
  const auto second = HealthServer::start("127.0.0.1", server_->port(), [] { return Status{}; });
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("the port is taken"));
}

}  // namespace
}  // namespace orb8
