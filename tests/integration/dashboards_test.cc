// Every query of the dashboards and alerts in deploy/monitoring, asked of a real Prometheus that
// scrapes a real agent, which watches real traffic and a real API server.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/temp_folder.h"
#include "core/base/unique_fd.h"
#include "tests/bpf_stats.h"
#include "tests/integration/kube_api.h"
#include "tests/integration/kube_pods.h"
#include "tests/integration/loopback_tcp.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/integration/prometheus.h"
#include "tests/need.h"
#include "tests/netns/cgroup.h"
#include "tests/netns/child.h"
#include "tests/netns/pod_node.h"
#include "tests/netns/topology.h"

namespace orb8::integration {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr int kPod = 1;  // of make_pods(): a Deployment's
constexpr auto* kListening = "gRPC server listening on ";

// Of all kinds that the dashboards tell apart, again and again, by a process of the pod's.
class PodTraffic {
 public:
  PodTraffic(const std::string& uid, const netns::Cgroup& kubepods) : pod_(kubepods, uid, 'a') {
    maker_.emplace([&] {
      pod_.enter();
      std::thread(make).detach();
    });
  }

 private:
  static void make() {
    const LoopbackUdp udp;
    for (;;) {
      LoopbackTcp tcp;
      tcp.converse(100'000);
      tcp.reset();
      tcp.close();
      tcp.be_refused();
      udp.send(10, 100);
      std::this_thread::sleep_for(20ms);  // some 50 connections a second
    }
  }

  netns::PodCgroup pod_;
  std::optional<netns::Child> maker_;
};

// A host that is nobody of the cluster, and is talked to all the time.
class Stranger {
 public:
  Stranger() {
    // By a descriptor: while the script runs, this thread is in the other namespace.
    const UniqueFd here(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    ns_.sh(
        fmt::format("here=/proc/{}/fd/{}; ip link add eth0 type veth peer name out0 netns $here;"
                    "ip addr add 203.0.113.2/24 dev eth0; ip link set eth0 up;"
                    "nsenter --net=$here ip addr add 203.0.113.1/24 dev out0;"
                    "nsenter --net=$here ip link set out0 up",
                    ::getpid(), here.get()));
    ping_.emplace("/bin/ping", Command{.arguments = {"-i", "0.2", "203.0.113.2"}});
  }

 private:
  netns::NetNs ns_;
  std::optional<Process> ping_;
};

struct Query {
  std::string where;  // "agent-health.json: Memory"
  std::string promql;
  std::string label = {};  // of a variable: whose values it offers
};

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// As Grafana does where all is selected.
std::string filled_in(std::string promql) {
  replace_all(promql, "$__rate_interval", "1m");
  for (const auto* variable : {"$namespace", "$workload", "$pod", "$instance"}) {
    replace_all(promql, variable, ".*");
  }
  return promql;
}

// A query that answers 0 where it would be empty says nothing: what it is made of must be there.
std::vector<Query> told_apart(const std::string& where, const std::string& promql) {
  if (!promql.ends_with("or vector(0)")) return {{where, promql}};
  static const std::regex selector(R"(\w+\{[^}]*\})");
  std::vector<Query> selectors;
  for (auto at = std::sregex_iterator(promql.begin(), promql.end(), selector);
       at != std::sregex_iterator(); ++at) {
    selectors.push_back({where, at->str()});
  }
  EXPECT_FALSE(selectors.empty()) << where;
  return selectors;
}

// "label_values(SELECTOR, LABEL)", which must offer something.
Query query_of_variable(const std::string& where, const std::string& text) {
  static const std::regex values(R"(label_values\((.+),\s*(\w+)\))");
  std::smatch parts;
  EXPECT_TRUE(std::regex_match(text, parts, values)) << where << ": " << text;
  return {where + ": variable " + text, filled_in(parts[1]), parts[2]};
}

std::vector<Query> queries_of(const std::filesystem::path& dashboard) {
  std::vector<Query> queries;
  const auto board = Json::parse(std::ifstream(dashboard));
  for (const auto& panel : board.at("panels")) {
    if (panel.at("type") == "row") continue;
    const auto where = dashboard.filename().string() + ": " + panel.at("title").get<std::string>();
    EXPECT_FALSE(panel.at("targets").empty()) << where;
    for (const auto& target : panel.at("targets")) {
      std::ranges::copy(told_apart(where, filled_in(target.at("expr"))),
                        std::back_inserter(queries));
    }
  }
  for (const auto& variable : board.at("templating").at("list")) {
    if (variable.at("type") != "query") continue;
    queries.push_back(query_of_variable(dashboard.filename(), variable.at("query").at("query")));
  }
  return queries;
}

// What the threshold is held against: an alert that does not fire has no samples itself.
std::string without_threshold(const std::string& expr) {
  static const std::regex threshold(R"(\s*(>|==)\s*[0-9.]+\s*$)");
  return std::regex_replace(expr, threshold, "");
}

std::vector<Query> queries_of_alerts() {
  std::vector<Query> queries;
  const auto rules = YAML::LoadFile("deploy/monitoring/rules.yaml");
  for (const auto& group : rules["spec"]["groups"]) {
    for (const auto& rule : group["rules"]) {
      queries.push_back({"alert " + rule["alert"].as<std::string>(),
                         without_threshold(rule["expr"].as<std::string>())});
    }
  }
  return queries;
}

class DashboardsTest : public ProcessTest {
 protected:
  void SetUp() override {
    ORB8_NEED(Prometheus::is_installed(), "prometheus and promtool are not installed");
    ORB8_NEED(KubeApi::is_installed(),
              "no kube-apiserver here: tests/e2e/kubernetes.sh api makes one");
    ProcessTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    stats_.emplace(true);
    api_ = std::make_unique<KubeApi>();
    make_pods(*api_, kPod, kPod + 1, true);
    const auto pod = Json::parse(api_->call("GET", pod_path(kPod)).body);
    agent_.emplace("orb8-agent",
                   Command{.arguments = {"--flow-source", "socket", "--node-name",
                                         pod.at("spec").at("nodeName"),
                                         // pod-detail.json is for agents that tell pods apart
                                         "--metrics-labels", "namespace,pod,workload"},
                           .environment = {{"KUBECONFIG", api_->kubeconfig()},
                                           {"ORB8_EXPORT_FILE", folder_ / "flows"},
                                           {"ORB8_EXPORT_INTERVAL_SECS", "1"}}});
    ASSERT_TRUE(agent_->says(kListening)) << agent_->err();
    traffic_.emplace(pod.at("metadata").at("uid"), kubepods_);
    stranger_.emplace();
    prometheus_.emplace(std::vector<std::string>{"127.0.0.1:9091"});
  }

  // A number, and not merely the word that there is none.
  bool has_answer(const Query& query) const {
    if (!query.label.empty()) return !prometheus_->label_values(query.promql, query.label).empty();
    const auto samples = prometheus_->query(query.promql);
    return std::ranges::any_of(samples, [](const auto& one) { return std::isfinite(one.value); });
  }

  bool is_answered(const Query& query) const {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!has_answer(query)) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }

  void expect_all_answered(const std::vector<Query>& queries) const {
    EXPECT_FALSE(queries.empty());
    for (const auto& query : queries) {
      EXPECT_TRUE(is_answered(query)) << query.where << " is empty: " << query.promql;
    }
  }

 private:
  TempFolder folder_;
  std::optional<BpfStats> stats_;
  std::unique_ptr<KubeApi> api_;
  std::optional<Process> agent_;
  netns::Cgroup top_{"orb8-test-dashboards"};
  netns::Cgroup kubepods_{top_, "kubepods"};
  std::optional<PodTraffic> traffic_;
  std::optional<Stranger> stranger_;
  std::optional<Prometheus> prometheus_;
};

TEST_F(DashboardsTest, HaveNoEmptyPanelAndAlertsSomethingToJudge) {
  std::size_t dashboards = 0;
  for (const auto& file : std::filesystem::directory_iterator("deploy/monitoring/dashboards")) {
    ++dashboards;
    expect_all_answered(queries_of(file.path()));
  }
  EXPECT_EQ(dashboards, 3U);
  expect_all_answered(queries_of_alerts());
}

}  // namespace
}  // namespace orb8::integration
