// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/k8s/temp_dir.h"

namespace orb8::k8s {
namespace {

using ::testing::HasSubstr;

class FindAccess : public ::testing::Test {
 protected:
  static std::string config(const std::string& server) {
    return "clusters: [{name: c, cluster: {server: '" + server +
           "'}}]\ncontexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n";
  }

  void SetUp() override {
    dir_.write("serviceaccount/token", "t");
    dir_.write("home/.kube/config", config("https://home"));
    dir_.write("named", config("https://named"));
  }

  AccessPlaces pod() const {
    return {.service_host = "10.96.0.1",
            .service_port = "443",
            .service_account = dir_.path("serviceaccount"),
            .home = dir_.path("home")};
  }

  TempDir dir_;
};

TEST_F(FindAccess, TakesTheFileThatIsNamedBeforeThePodsAccount) {
  auto places = pod();
  places.kubeconfig = dir_.path("named");
  EXPECT_EQ(find_access(places)->server, "https://named");
  places.kubeconfig = dir_.path("absent");
  const auto access = find_access(places);
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code, Errc::kUnavailable);
  EXPECT_THAT(access.error().what, HasSubstr(dir_.path("absent") + ", which KUBECONFIG names"));
}

TEST_F(FindAccess, TakesThePodsAccountBeforeTheOneAtHome) {
  const auto access = find_access(pod());
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->server, "https://10.96.0.1:443");
  EXPECT_EQ(access->ca.file, dir_.path("serviceaccount/ca.crt"));
  EXPECT_EQ(access->token_file, dir_.path("serviceaccount/token"));
  auto v6 = pod();
  v6.service_host = "fd00::1";
  EXPECT_EQ(find_access(v6)->server, "https://[fd00::1]:443");
}

TEST_F(FindAccess, TakesTheOneAtHomeOutsideOfPods) {
  auto places = pod();
  places.service_host.clear();
  EXPECT_EQ(find_access(places)->server, "https://home");
  dir_.write("home/.kube/config", "{");
  EXPECT_EQ(find_access(places).error().code, Errc::kInvalid);
}

TEST_F(FindAccess, WaitsForTheTokenOfAPodThatHasNone) {
  auto places = pod();
  places.home = dir_.path("nobody");
  places.service_account = dir_.path("later");
  const auto access = find_access(places);
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code, Errc::kUnavailable);
  EXPECT_THAT(access.error().what, HasSubstr("automountServiceAccountToken"));
  dir_.write("later/token", "t");
  EXPECT_TRUE(find_access(places));
}

TEST_F(FindAccess, SaysWhereItLookedWhereNothingPointsToACluster) {
  for (const std::string home : {"", "nobody"}) {
    const auto access = find_access({.home = home.empty() ? home : dir_.path(home)});
    ASSERT_FALSE(access);
    EXPECT_EQ(access.error().code, Errc::kNotFound);
    EXPECT_THAT(access.error().what, HasSubstr("KUBECONFIG is not set"));
  }
}

}  // namespace
}  // namespace orb8::k8s
