// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "cli/commands.h"

namespace orb8 {
namespace {

class KubeAgent final : public Backend {
 public:
  explicit KubeAgent(bool kubernetes) : kubernetes_(kubernetes) {}

  Result<v1::AgentStatus> status(const Patience& /*at once*/) override { return v1::AgentStatus{}; }
  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& /*none*/,
                                       const Patience& /*at once*/) override {
    return v1::QueryFlowsResponse{};
  }
  Result<v1::QueryPodsResponse> pods(const v1::QueryPodsRequest& request,
                                     const Patience& /*at once*/) override {
    asked = request;
    v1::QueryPodsResponse answer;
    answer.set_kubernetes(kubernetes_);
    if (kubernetes_) answer.add_pods()->set_name("web-0");
    return answer;
  }
  Result<void> stream(const v1::StreamEventsRequest& /*none*/, const EventFn& /*none*/,
                      const std::stop_token& /*none*/) override {
    return {};
  }
  bool starts_empty() const override { return false; }

  v1::QueryPodsRequest asked;

 private:
  bool kubernetes_;
};

int run(KubeAgent& agent, std::ostream& out, std::ostream& err) {
  CliOptions options;
  options.namespaces = {"shop"};
  options.pods = {"web-0"};
  return run_pods(
      agent, options,
      {.out = out, .err = err, .style = {}, .screen = {}, .stop = {}, .reader_gone = [] {
         return false;
       }});
}

TEST(PodsCommand, AsksForWhatWasAskedFor) {
  KubeAgent agent(true);
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(run(agent, out, err), 0);
  EXPECT_EQ(agent.asked.namespaces(0), "shop");
  EXPECT_EQ(agent.asked.pod_names(0), "web-0");
  EXPECT_NE(out.str().find("web-0"), std::string::npos);
  EXPECT_EQ(err.str(), "");
}

TEST(PodsCommand, FailsWhereThereIsNoCluster) {
  KubeAgent agent(false);
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(run(agent, out, err), 1);
  EXPECT_EQ(out.str(), "");
  EXPECT_TRUE(err.str().starts_with("orb8: no cluster is watched here")) << err.str();
}

}  // namespace
}  // namespace orb8
