// What is known of five thousand pods and of Services, nodes and EndpointSlices equals what a real
// API server has, whatever happens to the server, to the agent's rights and to the network between
// them while those come and go.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/eventually.h"
#include "core/k8s/watcher.h"
#include "tests/integration/faulty_proxy.h"
#include "tests/integration/kube_api_fixture.h"
#include "tests/integration/kube_churn.h"
#include "tests/integration/kube_pods.h"
#include "tests/integration/kube_truth.h"

namespace orb8::integration {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr int kPodCount = 5'000;
constexpr auto kPatienceOfTests = 60s;

// What is asked for is 5,000 pods, mostly.
bool eventually(const std::function<bool()>& condition) {
  return orb8::eventually(condition, kPatienceOfTests, 20ms);
}

class KubeSyncTest : public KubeApiFixture {
 protected:
  static void SetUpTestSuite() {
    KubeApiFixture::SetUpTestSuite();
    if (api) make_pods(*api, 0, kPodCount, true);
  }

  void SetUp() override {
    KubeApiFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto found = k8s::find_access({.kubeconfig = api->kubeconfig()});
    ASSERT_TRUE(found) << found.error().what;
    access_ = *found;
    network_ = std::make_unique<FaultyProxy>(api->port());
    access_.server = "https://127.0.0.1:" + std::to_string(network_->port());
  }

  void start() {
    store_ = std::make_unique<KubeStore>(PodIndexOptions{.max_pods = 20'000});
    auto watcher = k8s::Watcher::start(access_, options_, *store_);
    ASSERT_TRUE(watcher) << watcher.error().what;
    watcher_ = std::move(*watcher);
  }
  void start_and_sync() {
    start();
    ASSERT_TRUE(eventually([&] { return watcher_->synced(); })) << problem();
    expect_truth();
  }

  // Nobody may be changing pods any more.
  void expect_truth() const {
    const auto all = truth(*api);
    ASSERT_GE(all.pods.size(), kPodCount);
    const bool equal = eventually([&] { return difference(all, *store_).empty(); });
    EXPECT_TRUE(equal) << difference(all, *store_) << "; " << problem();
    EXPECT_EQ(watcher_->counters().skipped_objects, 0U);
  }
  bool has_made(const Churn& churn, int changes) const {
    return eventually([&, before = churn.made()] { return churn.made() >= before + changes; });
  }
  bool becomes_healthy() const {
    return eventually([&] { return watcher_->component().healthy; });
  }
  bool says(const std::string& words) const {
    return eventually([&] { return problem().contains(words); });
  }
  std::string problem() const { return watcher_->component().reason; }

  k8s::Access access_;
  k8s::WatchOptions options_{.backoff = {.first = 50ms, .most = 500ms}};
  std::unique_ptr<FaultyProxy> network_;
  std::unique_ptr<KubeStore> store_;
  std::unique_ptr<k8s::Watcher> watcher_;  // last: it feeds the store
};

TEST_F(KubeSyncTest, HoldsFiveThousandPodsAndFollowsTwoHundredChangesASecond) {
  start_and_sync();
  Churn churn(*api);
  ASSERT_TRUE(has_made(churn, 1'000));
  // A moment in which the server was slower is made up for.
  EXPECT_TRUE(eventually([&] { return churn.made_per_second() >= 0.95 * Churn::kPerSecond; }))
      << churn.made_per_second();
  churn.stop();
  EXPECT_EQ(churn.refused(), 0);
  EXPECT_EQ(churn.failed(), 0);
  expect_truth();
  EXPECT_EQ(watcher_->counters().relists, 0U);
  EXPECT_EQ(watcher_->counters().reconnects, 0U);
}

TEST_F(KubeSyncTest, IsRightAgainAfterTheServerWasKilledInTheMidstOfChanges) {
  start_and_sync();
  Churn churn(*api);
  ASSERT_TRUE(has_made(churn, 200));
  api->kill_server();
  EXPECT_TRUE(eventually([&] { return !watcher_->component().healthy; }));
  api->start_server();
  ASSERT_TRUE(has_made(churn, 200));
  churn.stop();
  EXPECT_GT(churn.failed(), 0) << "changes were tried while the server was away";
  expect_truth();
  EXPECT_TRUE(becomes_healthy()) << problem();
}

TEST_F(KubeSyncTest, ListsAnewWhatChangedBehindItsBackWhenTheServerHasForgotten) {
  start_and_sync();
  network_->set({.closed = true});
  Churn churn(*api);
  ASSERT_TRUE(has_made(churn, 200));
  churn.stop();
  api->kill_server();  // what it watched so far it would still have in memory
  api->compact();
  api->start_server();
  EXPECT_NE(difference(truth(*api), *store_), "");
  network_->set({});
  expect_truth();
  EXPECT_GT(watcher_->counters().relists, 0U);
  EXPECT_TRUE(becomes_healthy()) << problem();
}

TEST_F(KubeSyncTest, BeginsWhenItIsGivenTheRights) {
  access_.token = KubeApi::weak_token();
  start();
  ASSERT_TRUE(says(R"({apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"]})"));
  EXPECT_TRUE(store_->pods().empty());
  const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
  ASSERT_EQ(api->call("POST", rbac + "clusterroles",
                      R"({"metadata":{"name":"agent"},"rules":[)"
                      R"({"apiGroups":[""],"resources":["pods","services","nodes"],)"
                      R"("verbs":["list","watch"]},)"
                      R"({"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],)"
                      R"("verbs":["list","watch"]}]})")
                .status,
            201);
  ASSERT_EQ(api->call("POST", rbac + "clusterrolebindings",
                      R"({"metadata":{"name":"agent"},"roleRef":)"
                      R"({"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole",)"
                      R"("name":"agent"},"subjects":[{"kind":"User","name":"nobody"}]})")
                .status,
            201);
  EXPECT_TRUE(becomes_healthy()) << problem();
  expect_truth();
}

TEST_F(KubeSyncTest, TakesTheTokenThatItsFileHasNow) {
  const TempFolder folder;
  access_.token.clear();
  access_.token_file = folder / "token";
  const auto rotate = [&](const std::string& token) {
    std::ofstream(folder / "new") << token << '\n';
    std::filesystem::rename(folder / "new", access_.token_file);  // at once, as the kubelet does
  };
  rotate("expired");
  start();
  ASSERT_TRUE(says("credentials"));
  rotate(KubeApi::token());
  EXPECT_TRUE(becomes_healthy()) << problem();
  expect_truth();

  rotate("expired");
  network_->set({.closed = true});
  network_->set({});
  ASSERT_TRUE(says("credentials"));
  Churn churn(*api);
  ASSERT_TRUE(has_made(churn, 100));
  churn.stop();
  rotate(KubeApi::token());
  expect_truth();
  EXPECT_TRUE(becomes_healthy()) << problem();
}

TEST_F(KubeSyncTest, LosesNothingWhereWatchesAreCutInTheMidstOfAnEvent) {
  start_and_sync();
  constexpr std::size_t kSomeEvents = 30'011;
  network_->set({.cut_after = kSomeEvents});
  Churn churn(*api);
  EXPECT_TRUE(eventually([&] { return watcher_->counters().reconnects >= 5; }));
  churn.stop();
  network_->set({});
  expect_truth();
  EXPECT_EQ(watcher_->counters().relists, 0U) << "it goes on from where it was";
  EXPECT_TRUE(becomes_healthy()) << problem();
}

TEST_F(KubeSyncTest, LosesNothingWhereBytesArriveAsOthers) {
  start_and_sync();
  constexpr std::size_t kSomeEvents = 20'011;
  network_->set({.garble_after = kSomeEvents});
  Churn churn(*api);
  EXPECT_TRUE(eventually([&] { return watcher_->counters().reconnects >= 5; }));
  churn.stop();
  network_->set({});
  expect_truth();
  EXPECT_EQ(watcher_->counters().relists, 0U);
  EXPECT_TRUE(becomes_healthy()) << problem();
}

TEST_F(KubeSyncTest, GivesUpConnectionsThatHaveGoneSilent) {
  start_and_sync();
  watcher_.reset();
  options_.watch_idle = options_.list_idle = 1s;
  start_and_sync();
  network_->set({.stalled = true});
  Churn churn(*api);
  ASSERT_TRUE(has_made(churn, 100));
  churn.stop();
  EXPECT_TRUE(says("silent for 1 s")) << problem();
  EXPECT_NE(difference(truth(*api), *store_), "");
  network_->set({});
  expect_truth();
}

TEST_F(KubeSyncTest, SyncsOverANetworkThatDribbles) {
  constexpr std::size_t kPiece = 1'371;
  network_->set({.piece = kPiece});
  Churn churn(*api);
  start();
  ASSERT_TRUE(eventually([&] { return watcher_->synced(); })) << problem();
  ASSERT_TRUE(has_made(churn, 200));
  churn.stop();
  expect_truth();
}

// No list gets through, however often it is asked for; nothing that is half is taken for all.
TEST_F(KubeSyncTest, TakesNoListThatIsCutShortForAWholeOne) {
  constexpr std::size_t kHalfAPage = 15'013;
  network_->set({.cut_after = kHalfAPage});
  start();
  ASSERT_TRUE(eventually([&] { return network_->accepted() >= 20; }));
  EXPECT_FALSE(watcher_->synced());
  EXPECT_FALSE(store_->is_complete());
  network_->set({});
  EXPECT_TRUE(becomes_healthy()) << problem();
  expect_truth();
}

}  // namespace
}  // namespace orb8::integration
