// The API server that the tests of the Kubernetes client stand on is what they take it for.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/integration/kube_api_fixture.h"

namespace orb8::integration {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr auto* kPods = "/api/v1/namespaces/default/pods";
constexpr auto* kServices = "/api/v1/namespaces/default/services";

using KubeApiTest = KubeApiFixture;

TEST_F(KubeApiTest, KeepsAPodAndItsAddress) {
  ASSERT_EQ(api->call("POST", kPods, pod_object("web-0")).status, 201);
  const auto path = std::string(kPods) + "/web-0";
  const Json status = {
      {"status",
       {{"phase", "Running"}, {"podIP", "10.244.0.7"}, {"podIPs", {{{"ip", "10.244.0.7"}}}}}}};
  ASSERT_EQ(api->call("PATCH", path + "/status", status.dump()).status, 200);
  const auto answer = api->call("GET", path);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(Json::parse(answer.body)["status"]["podIP"], "10.244.0.7");
  EXPECT_EQ(api->call("DELETE", path).status, 200);
  EXPECT_EQ(api->call("GET", path).status, 404);
}

TEST_F(KubeApiTest, GivesAServiceAnAddress) {
  ASSERT_EQ(api->call("POST", kServices, service_object("web")).status, 201);
  const auto answer = api->call("GET", std::string(kServices) + "/web");
  EXPECT_THAT(Json::parse(answer.body)["spec"]["clusterIP"].get<std::string>(),
              HasSubstr("10.96."));
}

TEST_F(KubeApiTest, AllowsNothingWithoutARole) {
  const auto weak = api->call("GET", kPods, "", KubeApi::weak_token());
  EXPECT_EQ(weak.status, 403);
  EXPECT_THAT(weak.body, HasSubstr(R"(cannot list resource \"pods\")"));
  EXPECT_EQ(api->call("GET", kPods, "", "not-a-token").status, 401);
}

TEST_F(KubeApiTest, KeepsWhatWasStoredWhenItIsKilled) {
  ASSERT_EQ(api->call("POST", kPods, pod_object("kept")).status, 201);
  api->kill_server();
  EXPECT_THROW(api->call("GET", kPods), std::runtime_error);
  api->start_server();
  EXPECT_EQ(api->call("GET", std::string(kPods) + "/kept").status, 200);
}

TEST_F(KubeApiTest, RefusesTheRestOfAListFromBeforeACompaction) {
  ASSERT_EQ(api->call("POST", kServices, service_object("one")).status, 201);
  ASSERT_EQ(api->call("POST", kServices, service_object("two")).status, 201);
  const auto page = std::string(kServices) + "?limit=1&continue=";
  const auto first = Json::parse(api->call("GET", page).body);
  const auto rest = page + first["metadata"]["continue"].get<std::string>();
  ASSERT_EQ(api->call("GET", rest).status, 200);
  ASSERT_EQ(api->call("POST", kServices, service_object("three")).status, 201);
  api->compact();
  EXPECT_EQ(api->call("GET", rest).status, 410);
}

}  // namespace
}  // namespace orb8::integration
