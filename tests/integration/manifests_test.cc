// What is in deploy/, given to a real API server: it is taken, and the agent may do what it must.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/kube_api_fixture.h"

namespace orb8::integration {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr auto* kDaemonSet = "/apis/apps/v1/namespaces/orb8-system/daemonsets/orb8-agent";

class ManifestsTest : public KubeApiFixture {
 protected:
  static void apply(const std::string& option, const std::string& path) {
    Process kubectl(KubeApi::program("kubectl"),
                    {.arguments = {"apply", option, path, "--kubeconfig=" + api->kubeconfig()},
                     .environment = {{"HOME", "/nonexistent"}}});
    ASSERT_EQ(kubectl.exit_status(), 0) << kubectl.err();
  }

  static Json get(const std::string& path) { return Json::parse(api->call("GET", path).body); }

  // What of the node the agent has mounted.
  static std::vector<std::string> hosts_paths() {
    std::vector<std::string> paths;
    const auto daemon_set = get(kDaemonSet);
    for (const auto& volume : daemon_set["spec"]["template"]["spec"]["volumes"]) {
      paths.push_back(volume["hostPath"]["path"].get<std::string>());
    }
    return paths;
  }

  // A token of the agent's service account, as its pod has one.
  static std::string agents_token() {
    const auto answer = api->call(
        "POST", "/api/v1/namespaces/orb8-system/serviceaccounts/orb8-agent/token",
        R"({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return Json::parse(answer.body)["status"]["token"].get<std::string>();
  }
};

TEST_F(ManifestsTest, AskForTheCapabilitiesNeededAndNoMore) {
  apply("-k", "deploy");
  const auto pod = get(kDaemonSet)["spec"]["template"]["spec"];
  const auto security = pod["containers"][0]["securityContext"];
  EXPECT_EQ(security["privileged"], false);
  EXPECT_EQ(security["readOnlyRootFilesystem"], true);
  EXPECT_THAT(security["capabilities"]["drop"], ElementsAre("ALL"));
  EXPECT_THAT(security["capabilities"]["add"],
              ElementsAre("BPF", "PERFMON", "NET_ADMIN", "SYS_ADMIN", "SYS_RESOURCE"));
  EXPECT_EQ(security["seLinuxOptions"]["type"], "spc_t");
  EXPECT_EQ(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
}

TEST_F(ManifestsTest, LetTheAgentListAndWatchWhatItNamesFlowsBy) {
  apply("-k", "deploy");
  const auto token = agents_token();
  for (const std::string resource : {"/api/v1/pods", "/api/v1/services", "/api/v1/nodes",
                                     "/apis/discovery.k8s.io/v1beta1/endpointslices"}) {
    EXPECT_EQ(api->call("GET", resource, "", token).status, 200) << resource;
    const auto watch = resource + "?watch=1&timeoutSeconds=1";
    EXPECT_EQ(api->call("GET", watch, "", token).status, 200) << watch;
  }
}

TEST_F(ManifestsTest, LetTheAgentDoNothingElse) {
  apply("-k", "deploy");
  const auto token = agents_token();
  EXPECT_EQ(api->call("GET", "/api/v1/secrets", "", token).status, 403);
  EXPECT_EQ(api->call("GET", "/api/v1/configmaps", "", token).status, 403);
  EXPECT_EQ(api->call("GET", "/api/v1/namespaces/default/pods/one", "", token).status, 403);
  EXPECT_EQ(api->call("DELETE", "/api/v1/namespaces/default/pods/one", "", token).status, 403);
  EXPECT_EQ(api->call("PATCH", "/api/v1/nodes/one", "{}", token).status, 403);
}

TEST_F(ManifestsTest, HaveOverlaysThatAreTakenToo) {
  apply("-k", "deploy/overlays/kind");
  EXPECT_EQ(get(kDaemonSet)["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"],
            "Never");
  apply("-k", "deploy/overlays/production");
  EXPECT_EQ(get(kDaemonSet)["spec"]["template"]["spec"]["containers"][0]["image"],
            "registry.example.com/orb8:0.1.0");
}

TEST_F(ManifestsTest, MountDockersSocketWhereItIsAskedFor) {
  apply("-k", "deploy");
  EXPECT_THAT(hosts_paths(), Not(Contains("/var/run/docker.sock")));
  apply("-k", "deploy/overlays/runtime-socket");
  EXPECT_THAT(hosts_paths(), IsSupersetOf({"/sys", "/sys/fs/cgroup", "/var/run/docker.sock"}));
  const auto mounts = get(kDaemonSet)["spec"]["template"]["spec"]["containers"][0]["volumeMounts"];
  EXPECT_THAT(mounts, Contains(Json{{"name", "runtime"}, {"mountPath", "/var/run/docker.sock"}}));
}

TEST_F(ManifestsTest, HavePodsToTryTheAgentWith) {
  apply("-f", "deploy/e2e-test-pods.yaml");
  EXPECT_EQ(get("/api/v1/namespaces/orb8-e2e/pods")["items"].size(), 5U);
}

TEST_F(ManifestsTest, AreLeftAloneByTheEndToEndTestWhereTheyAreInUse) {
  apply("-k", "deploy");
  const auto programs = fs::path(KubeApi::program("kubectl")).parent_path().string();
  Process refused(
      "/bin/bash",
      {.arguments = {"-c", "PATH=$0:$PATH exec scripts/e2e-test.sh", programs},
       .environment = {
           {"HOME", "/nonexistent"}, {"KUBECONFIG", api->kubeconfig()}, {"ORB8_IMAGE", "orb8"}}});
  EXPECT_EQ(refused.exit_status(), 1);
  EXPECT_THAT(refused.err(), HasSubstr("has namespace/orb8-system"));
  EXPECT_EQ(api->call("GET", kDaemonSet).status, 200);
  EXPECT_EQ(get("/api/v1/namespaces/orb8-system")["status"]["phase"], "Active");
}

// With a server of its own: where no controllers are, a namespace that goes is never gone.
class ManifestsAwayTest : public ManifestsTest {};

TEST_F(ManifestsAwayTest, LeaveNothingInAClusterAfterTheEndToEndTest) {
  apply("-k", "deploy");
  apply("-f", "deploy/e2e-test-pods.yaml");
  const auto programs = fs::path(KubeApi::program("kubectl")).parent_path().string();
  Process down("/bin/bash",
               {.arguments = {"-c", "PATH=$0:$PATH exec scripts/e2e-test.sh down", programs},
                .environment = {{"HOME", "/nonexistent"}, {"KUBECONFIG", api->kubeconfig()}}});
  EXPECT_EQ(down.exit_status(), 0) << down.err();
  EXPECT_EQ(api->call("GET", kDaemonSet).status, 404);
  const std::string roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles/orb8-agent";
  EXPECT_EQ(api->call("GET", roles).status, 404);
  EXPECT_EQ(get("/api/v1/namespaces/orb8-e2e/pods")["items"].size(), 0U);
}

}  // namespace
}  // namespace orb8::integration
