// The Kubernetes client against a real API server: whatever happens in between, it comes to hold
// what the server has.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/k8s/recording_sink.h"
#include "core/k8s/watcher.h"
#include "tests/integration/kube_api_fixture.h"

namespace orb8::integration {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

const std::string kPods = "/api/v1/namespaces/default/pods";

class K8sClientTest : public KubeApiFixture {
 protected:
  void SetUp() override {
    KubeApiFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto found = k8s::find_access({.kubeconfig = api->kubeconfig()});
    ASSERT_TRUE(found) << found.error().what;
    access_ = *found;
  }

  void TearDown() override {
    watcher_.reset();
    if (!api) return;
    api->call("DELETE", kPods);
  }

  void start() {
    auto watcher = k8s::Watcher::start(access_, {.backoff = {.first = 50ms, .most = 1s}}, sink_);
    ASSERT_TRUE(watcher) << watcher.error().what;
    watcher_ = std::move(*watcher);
  }

  bool holds(const std::set<std::string>& names) {
    return sink_.wait([&] {
      std::set<std::string> held;
      for (const auto& [name, pod] : sink_.of<k8s::Pod>()) held.insert(name);
      return held == names;
    });
  }

  k8s::Access access_;
  k8s::RecordingSink sink_;
  std::unique_ptr<k8s::Watcher> watcher_;
};

TEST_F(K8sClientTest, FollowsWhatIsMadeChangedAndDeleted) {
  ASSERT_EQ(api->call("POST", kPods, pod_object("before")).status, 201);
  start();
  ASSERT_TRUE(sink_.wait([&] { return watcher_->synced(); })) << watcher_->component().reason;
  EXPECT_TRUE(watcher_->component().healthy) << watcher_->component().reason;
  EXPECT_TRUE(holds({"before"}));
  EXPECT_TRUE(sink_.of<k8s::Service>().contains("kubernetes"));

  ASSERT_EQ(api->call("POST", kPods, pod_object("web-0")).status, 201);
  ASSERT_EQ(api->call("POST", "/api/v1/namespaces/default/services", service_object("web")).status,
            201);
  // Of a server before 1.21, which has no v1 of them.
  ASSERT_EQ(
      api->call("POST", "/apis/discovery.k8s.io/v1beta1/namespaces/default/endpointslices",
                R"({"metadata":{"name":"web-1","labels":{"kubernetes.io/service-name":"web"}},)"
                R"("addressType":"IPv4","endpoints":[{"addresses":["10.244.0.7"]}]})")
          .status,
      201);
  EXPECT_TRUE(holds({"before", "web-0"}));
  EXPECT_TRUE(sink_.wait([&] {
    return sink_.of<k8s::Service>().contains("web") &&
           sink_.of<k8s::EndpointSlice>().contains("web-1");
  }));
  const Json status = {
      {"status",
       {{"phase", "Running"}, {"podIP", "10.244.0.7"}, {"podIPs", {{{"ip", "10.244.0.7"}}}}}}};
  ASSERT_EQ(api->call("PATCH", kPods + "/web-0/status", status.dump()).status, 200);
  EXPECT_TRUE(sink_.wait([&] { return !sink_.of<k8s::Pod>().at("web-0").ips.empty(); }));
  EXPECT_THAT(sink_.of<k8s::Pod>().at("web-0").ips, ElementsAre(Addr::v4(10, 244, 0, 7)));
  ASSERT_EQ(api->call("DELETE", kPods + "/before").status, 200);
  EXPECT_TRUE(holds({"web-0"}));
  EXPECT_EQ(watcher_->counters().skipped_objects, 0U);
}

TEST_F(K8sClientTest, HoldsTheTruthAfterTheServerWasKilledAndEtcdHasForgotten) {
  ASSERT_EQ(api->call("POST", kPods, pod_object("stays")).status, 201);
  ASSERT_EQ(api->call("POST", kPods, pod_object("goes")).status, 201);
  start();
  ASSERT_TRUE(holds({"stays", "goes"}));
  api->kill_server();
  ASSERT_TRUE(sink_.wait([&] { return !watcher_->component().healthy; }));
  api->compact();
  api->start_server();
  ASSERT_EQ(api->call("DELETE", kPods + "/goes").status, 200);
  ASSERT_EQ(api->call("POST", kPods, pod_object("comes")).status, 201);
  EXPECT_TRUE(holds({"stays", "comes"})) << watcher_->component().reason;
  EXPECT_TRUE(sink_.wait([&] { return watcher_->component().healthy; }));
}

TEST_F(K8sClientTest, NamesTheRuleThatIsMissing) {
  access_.token = KubeApi::weak_token();
  start();
  ASSERT_TRUE(sink_.wait([&] { return watcher_->counters().failed_requests >= 4; }));
  EXPECT_FALSE(watcher_->component().healthy);
  EXPECT_THAT(watcher_->component().reason,
              HasSubstr(R"({apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"]})"));
}

TEST_F(K8sClientTest, SaysThatTheCredentialsAreNotTaken) {
  access_.token = "made-up";
  start();
  ASSERT_TRUE(sink_.wait([&] { return watcher_->counters().failed_requests >= 1; }));
  EXPECT_THAT(watcher_->component().reason, HasSubstr("credentials"));
}

}  // namespace
}  // namespace orb8::integration
