// What an agent missed of Kubernetes is told by `orb8 status`.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "core/base/eventually.h"
#include "core/base/temp_folder.h"
#include "core/k8s/scripted_api.h"
#include "tests/integration/command_line.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/integration/temp_file.h"

namespace orb8::integration {
namespace {

class KubeStatus : public ProcessTest {};

std::string kubeconfig_of(const std::string& server) {
  return "{apiVersion: v1, kind: Config, current-context: a,\n"
         " contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {}}],\n"
         " clusters: [{name: a, cluster: {server: \"" +
         server + "\"}}]}\n";
}

// Each kind's list has one object that is none, and no watch ends.
k8s::Answer half_sound(const httplib::Request& request) {
  if (request.has_param("watch")) return {.stream = std::make_shared<k8s::Stream>()};
  return {.body = R"({"kind":"List","metadata":{"resourceVersion":"1"},"items":[{"metadata":7}]})"};
}

// Empty once `orb8 status` says so; else what it says at last.
std::string status_with(const std::string& words) {
  std::string page;
  const bool said = eventually([&] {
    Process orb8("orb8", command_line("status"));
    EXPECT_EQ(orb8.exit_status(), 0) << orb8.err();
    page = orb8.out();
    return page.contains(words);
  });
  return said ? "" : page;
}

TEST_F(KubeStatus, CountsTheObjectsThatTheAgentSkipped) {
  const k8s::ScriptedApi api(half_sound);
  const TempFile kubeconfig(kubeconfig_of(api.url()));
  auto command = command_line("--interface lo --snapshot-interval-ms 100");
  command.environment["KUBECONFIG"] = kubeconfig.path();
  Process agent("orb8-agent", command);
  ASSERT_TRUE(agent.says("gRPC server listening on ")) << agent.err();
  EXPECT_EQ(status_with(
                "\nPods:        0 tracked, 0 evicted\n"
                "Kubernetes:  0 watch restarts, 0 relists, 0 failed requests, 4 objects skipped\n"),
            "");
}

TEST_F(KubeStatus, TellsOfAKubeconfigThatIsMissingAndFindsItWhenItComes) {
  const k8s::ScriptedApi api(half_sound);
  const TempFolder folder;
  const auto path = folder / "kubeconfig";
  auto command = command_line("--interface lo --snapshot-interval-ms 100");
  command.environment["KUBECONFIG"] = path;
  Process agent("orb8-agent", command);
  ASSERT_TRUE(agent.says("Kubernetes is not asked for names: ")) << agent.err();
  ASSERT_TRUE(agent.says("gRPC server listening on ")) << agent.err();
  EXPECT_EQ(status_with(path + ", which KUBECONFIG names"), "");
  std::ofstream(path) << kubeconfig_of(api.url());
  EXPECT_EQ(status_with(" 4 objects skipped\n"), "");
}

}  // namespace
}  // namespace orb8::integration
