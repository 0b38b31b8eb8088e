// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>

#include "core/base/temp_folder.h"

namespace orb8 {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

// Of a server that nobody is.
constexpr auto* kKubeconfig = R"(
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]
contexts: [{name: x, context: {cluster: c}}]
current-context: x
)";

class ClusterTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(path_) << text; }

  TempFolder folder_;
  std::string path_ = folder_ / "kubeconfig";
  const Cluster::Clock::time_point start_ = Cluster::Clock::now();
};

TEST_F(ClusterTest, IsNoneWhereNothingPointsToOne) {
  EXPECT_EQ(Cluster::open({}, {}), nullptr);
  EXPECT_EQ(Cluster::open({}, {.home = folder_.path()}), nullptr);
}

TEST_F(ClusterTest, IsNoneWhereItIsNotWanted) {
  EXPECT_EQ(Cluster::open({.kube = KubeChoice::kOff}, {.kubeconfig = path_}), nullptr);
}

TEST_F(ClusterTest, IsUnwellUntilItsKubeconfigIsWritten) {
  const auto cluster = Cluster::open({}, {.kubeconfig = path_});
  ASSERT_NE(cluster, nullptr);
  EXPECT_FALSE(cluster->component().healthy);
  EXPECT_THAT(cluster->component().reason, HasSubstr(path_ + ", which KUBECONFIG names"));
  write("{");  // in the middle of being written
  cluster->tick(start_ + 10s);
  EXPECT_THAT(cluster->component().reason, HasSubstr(path_ + ": yaml-cpp"));
  write(kKubeconfig);
  cluster->tick(start_ + 20s);
  EXPECT_THAT(cluster->component().reason, Not(HasSubstr(path_)));  // of the server, now
}

TEST_F(ClusterTest, IsNotLookedForAllTheTime) {
  const auto cluster = Cluster::open({}, {.kubeconfig = path_});
  ASSERT_NE(cluster, nullptr);
  write(kKubeconfig);
  cluster->tick(start_ + 1s);
  EXPECT_THAT(cluster->component().reason, HasSubstr(path_));
}

}  // namespace
}  // namespace orb8
