// The whole way of a name: objects in a real API server, the agent's own client, and real traffic
// of pods that are network namespaces and cgroups, on a node made by the test.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/eventually.h"
#include "core/base/log_capture.h"
#include "core/base/temp_folder.h"
#include "core/pipeline/late_flows.h"
#include "core/pipeline/pipeline.h"
#include "tests/integration/faulty_proxy.h"
#include "tests/integration/kube_api.h"
#include "tests/need.h"
#include "tests/netns/pod_node.h"
#include "tests/netns/socket_watcher.h"

namespace orb8::integration {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using netns::Ends;
using netns::Host;
using netns::NetNs;
using netns::PodCgroup;

constexpr std::uint16_t kPort = 7000;
constexpr std::uint16_t kDnsPort = 5353;
const Addr kWeb = Addr::v4(10, 96, 0, 20);
const Addr kDns = Addr::v4(10, 96, 0, 53);
const Addr kProxy = Addr::v4(10, 96, 0, 80);

Json checked(const HttpAnswer& answer) {
  if (answer.status >= 300) throw std::runtime_error(answer.body);
  return Json::parse(answer.body);
}

// What stands there is alive for all tests: the API server takes seconds to start. It is on the
// node, as its loopback is all that it listens on.
class TestCluster {
 public:
  TestCluster() {
    net.up(true);
    const auto on_node = here().ns.enter();
    api = std::make_unique<KubeApi>();
    network = std::make_unique<FaultyProxy>(api->port());
    auto config = Json::parse(std::ifstream(api->kubeconfig()));
    config["clusters"][0]["cluster"]["server"] =
        "https://127.0.0.1:" + std::to_string(network->port());
    std::ofstream(kubeconfig()) << config.dump();
    checked(api->call("POST", "/api/v1/nodes", R"({"metadata":{"name":"node-1"}})"));
    const Json address = {{"type", "InternalIP"}, {"address", to_string(here().v4())}};
    const Json status = {{"addresses", Json::array({address})}};
    checked(api->call("PATCH", "/api/v1/nodes/node-1/status", Json{{"status", status}}.dump()));
  }

  const Host& here() const { return net.bridge; }
  std::string kubeconfig() const { return folder_ / "kubeconfig"; }  // of the agent

  // Its UID.
  std::string start_pod(const std::string& name, const Addr& addr,
                        bool host_network = false) const {
    const Json container = {{"name", "main"}, {"image", "web:1"}};
    const Json spec = {{"nodeName", "node-1"},
                       {"hostNetwork", host_network},
                       {"containers", Json::array({container})}};
    const Json pod = {{"metadata", {{"name", name}}}, {"spec", spec}};
    const auto made = checked(api->call("POST", kPods, pod.dump()));
    const Json ip = {{"ip", to_string(addr)}};
    const Json status = {
        {"phase", "Running"}, {"podIP", to_string(addr)}, {"podIPs", Json::array({ip})}};
    checked(api->call("PATCH", std::string(kPods) + "/" + name + "/status",
                      Json{{"status", status}}.dump()));
    return made["metadata"]["uid"];
  }

  // With one port, and one pod behind it, as the controllers would say.
  void make_service(const std::string& name, const netns::ServiceRule& rule,
                    const std::string& pod_uid) const {
    const auto port = [&](std::uint16_t number) {
      return Json::array({{{"name", name},
                           {"protocol", rule.protocol == "udp" ? "UDP" : "TCP"},
                           {"port", number}}});
    };
    const Json spec = {{"clusterIP", to_string(rule.address)}, {"ports", port(rule.port)}};
    const Json service = {{"metadata", {{"name", name}}}, {"spec", spec}};
    checked(api->call("POST", "/api/v1/namespaces/default/services", service.dump()));
    const Json endpoint = {{"addresses", Json::array({to_string(rule.backend)})},
                           {"targetRef", {{"kind", "Pod"}, {"uid", pod_uid}}}};
    const Json labels = {{"kubernetes.io/service-name", name}};
    const Json object = {{"metadata", {{"name", name + "-1"}, {"labels", labels}}},
                         {"addressType", "IPv4"},
                         {"endpoints", Json::array({endpoint})},
                         {"ports", port(rule.backend_port)}};
    checked(
        api->call("POST", api->discovery() + "/namespaces/default/endpointslices", object.dump()));
    rewrite_service(net, rule);
  }

  netns::BridgedHosts net;
  std::unique_ptr<KubeApi> api;
  std::unique_ptr<FaultyProxy> network;  // between it and the agent
  netns::Cgroup top{"orb8-test-flows"};
  netns::Cgroup kubepods{top, "kubepods"};

 private:
  TempFolder folder_;
  static constexpr auto* kPods = "/api/v1/namespaces/default/pods";
};

class KubeFlows : public netns::SocketSourceTest {
 protected:
  static void TearDownTestSuite() { cluster.reset(); }

  void SetUp() override {
    SocketSourceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ORB8_NEED(KubeApi::is_installed(),
              "no kube-apiserver here: tests/e2e/kubernetes.sh api makes one");
    const bool first = !cluster;
    if (first) cluster = std::make_unique<TestCluster>();
    on_node_.reset(new NetNs::Visit(here().ns.enter()));
    if (first) {
      client = cluster->start_pod("client", client_host().v4());
      server = cluster->start_pod("server", server_host().v4());
      agent = cluster->start_pod("agent", here().v4(), true);
    }
    ::setenv("KUBECONFIG", cluster->kubeconfig().c_str(), 1);
    Config config;
    config.flow_source = FlowSourceChoice::kSocket;
    config.node_name = "node-1";
    config.snapshot_interval_ms = 100;
    auto pipeline = Pipeline::start(config);
    ASSERT_TRUE(pipeline) << pipeline.error().what;
    pipeline_ = std::move(*pipeline);
    ASSERT_TRUE(eventually([&] { return kubernetes().healthy; })) << kubernetes().reason;
  }

  void TearDown() override {
    if (cluster) cluster->network->set({});
  }

  static const Host& here() { return cluster->here(); }
  static const Host& client_host() { return cluster->net.hosts[0]; }
  static const Host& server_host() { return cluster->net.hosts[1]; }
  static PodCgroup cgroup_of(const std::string& uid, char digit) {
    return {cluster->kubepods, uid, digit};
  }

  Component kubernetes() const {
    for (const auto& component : pipeline_->status().components) {
      if (component.name == "kubernetes") return component;
    }
    return {.name = "kubernetes", .healthy = false, .reason = "there is none"};
  }

  // The names on a flow, once they are these.
  std::string becomes(const std::string& expected, const NetNs& ns, const Ends& ends,
                      Direction direction, std::uint8_t protocol = IPPROTO_TCP) const {
    const auto names = [&] {
      return netns::names_of(*pipeline_->flows(), ns, ends, protocol, direction);
    };
    (void)eventually([&] { return names() == expected; });
    return names();
  }
  void expect_on_both_ends(const std::string& expected, const Ends& ends) const {
    EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
    EXPECT_EQ(becomes(expected, server_host().ns, ends, Direction::kIngress), expected);
  }

  static inline std::unique_ptr<TestCluster> cluster;
  static inline std::string client;
  static inline std::string server;
  static inline std::string agent;
  std::unique_ptr<NetNs::Visit> on_node_;
  LogCapture log_;
  std::unique_ptr<Pipeline> pipeline_;  // first to go
};

TEST_F(KubeFlows, BetweenTwoPodsNameBoth) {
  const auto of_client = cgroup_of(client, 'a');
  const auto of_server = cgroup_of(server, 'b');
  const auto listens = pod_server(of_server, server_host().ns, server_host().v4(), kPort);
  const Ends ends{client_host().v4(), 5001, server_host().v4(), kPort};
  const auto calls = pod_client(of_client, client_host().ns, ends);
  expect_on_both_ends("client > server", ends);
}

TEST_F(KubeFlows, BetweenTwoPodsOverIpv6NameBoth) {
  const auto of_client = cgroup_of(cluster->start_pod("client-6", client_host().v6()), 'a');
  const auto of_server = cgroup_of(cluster->start_pod("server-6", server_host().v6()), 'b');
  const auto listens = pod_server(of_server, server_host().ns, server_host().v6(), kPort);
  const Ends ends{client_host().v6(), 5002, server_host().v6(), kPort};
  const auto calls = pod_client(of_client, client_host().ns, ends);
  expect_on_both_ends("client-6 > server-6", ends);
}

TEST_F(KubeFlows, OfAPodWithOneOnTheHostsNetworkNameBoth) {
  const auto of_client = cgroup_of(client, 'a');
  const auto of_agent = cgroup_of(agent, 'c');
  const auto listens = pod_server(of_agent, here().ns, here().v4(), kPort);
  const Ends ends{client_host().v4(), 5003, here().v4(), kPort};
  const auto calls = pod_client(of_client, client_host().ns, ends);
  const auto* expected = "client > agent";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
  EXPECT_EQ(becomes(expected, here().ns, ends, Direction::kIngress), expected);
}

// They have one address, the node's: what tells them apart is their cgroups, whoever has the other
// end.
TEST_F(KubeFlows, OfTwoPodsOnTheHostsNetworkAreToldApart) {
  const auto of_client = cgroup_of(client, 'a');
  const auto of_server = cgroup_of(server, 'b');
  const auto of_agent = cgroup_of(agent, 'c');
  const auto of_proxy = cgroup_of(cluster->start_pod("node-proxy", here().v4(), true), 'd');
  const auto server_listens = pod_server(of_server, server_host().ns, server_host().v4(), kPort);
  const auto agent_listens = pod_server(of_agent, here().ns, here().v4(), kPort);
  const auto proxy_listens = pod_server(of_proxy, here().ns, here().v4(), kPort + 1);
  struct Call {
    const Host& from;
    const PodCgroup& by;
    Ends ends;
    const Host& to;
    std::string expected;
  };
  const auto at = here().v4();
  const std::vector<Call> calls = {
      {here(), of_agent, {at, 5011, server_host().v4(), kPort}, server_host(), "agent > server"},
      {here(),
       of_proxy,
       {at, 5012, server_host().v4(), kPort},
       server_host(),
       "node-proxy > server"},
      {client_host(), of_client, {client_host().v4(), 5013, at, kPort}, here(), "client > agent"},
      {client_host(),
       of_client,
       {client_host().v4(), 5014, at, kPort + 1},
       here(),
       "client > node-proxy"},
      {here(), of_agent, {at, 5015, at, kPort + 1}, here(), "agent > node-proxy"},
      {here(), of_proxy, {at, 5016, at, kPort}, here(), "node-proxy > agent"}};
  std::vector<std::unique_ptr<netns::Child>> clients;
  clients.reserve(calls.size());
  for (const auto& call : calls) clients.push_back(pod_client(call.by, call.from.ns, call.ends));
  for (const auto& call : calls) {
    const auto& expected = call.expected;
    EXPECT_EQ(becomes(expected, call.from.ns, call.ends, Direction::kEgress), expected);
    EXPECT_EQ(becomes(expected, call.to.ns, call.ends, Direction::kIngress), expected);
  }
}

TEST_F(KubeFlows, ToAServiceNameItAndThePodBehindIt) {
  ORB8_NEED(::access("/usr/sbin/iptables", X_OK) == 0, "iptables is needed");
  cluster->make_service(
      "web", {.address = kWeb, .port = 80, .backend = server_host().v4(), .backend_port = kPort},
      server);
  const auto of_client = cgroup_of(client, 'a');
  const auto of_server = cgroup_of(server, 'b');
  const auto listens = pod_server(of_server, server_host().ns, server_host().v4(), kPort);
  const Ends ends{client_host().v4(), 5004, kWeb, 80};
  const auto calls = pod_client(of_client, client_host().ns, ends);
  const auto* expected = "client > server (web)";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
}

TEST_F(KubeFlows, ToAServiceOfDatagramsNameItAndThePodBehindIt) {
  ORB8_NEED(::access("/usr/sbin/iptables", X_OK) == 0, "iptables is needed");
  cluster->make_service("dns",
                        {.protocol = "udp",
                         .address = kDns,
                         .port = 53,
                         .backend = server_host().v4(),
                         .backend_port = kDnsPort},
                        server);
  const auto of_client = cgroup_of(client, 'a');
  const auto of_server = cgroup_of(server, 'b');
  const auto waits =
      pod_server(of_server, server_host().ns, server_host().v4(), kDnsPort, SOCK_DGRAM);
  const Ends ends{client_host().v4(), 5005, kDns, 53};
  const auto asks = pod_client(of_client, client_host().ns, ends, SOCK_DGRAM);
  const auto* expected = "client > server (dns)";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress, IPPROTO_UDP), expected);
}

TEST_F(KubeFlows, ToAServiceOfAPodOnTheHostsNetworkNameBoth) {
  ORB8_NEED(::access("/usr/sbin/iptables", X_OK) == 0, "iptables is needed");
  cluster->make_service(
      "proxy", {.address = kProxy, .port = 80, .backend = here().v4(), .backend_port = kPort},
      agent);
  const auto of_client = cgroup_of(client, 'a');
  const auto of_agent = cgroup_of(agent, 'c');
  const auto listens = pod_server(of_agent, here().ns, here().v4(), kPort);
  const Ends ends{client_host().v4(), 5006, kProxy, 80};
  const auto calls = pod_client(of_client, client_host().ns, ends);
  const auto* expected = "client > agent (proxy)";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
}

// The watch goes on where it was: there is no list that would have all flows named anew.
TEST_F(KubeFlows, ThatBeganWhileTheServerWasAwayAreNamedOnceItTellsOfTheirPods) {
  cluster->network->set({.closed = true});
  ASSERT_TRUE(eventually([&] { return !kubernetes().healthy; }));
  const auto& host = cluster->net.hosts[2];
  const auto of_client = cgroup_of(client, 'a');
  const auto of_late = cgroup_of(cluster->start_pod("late", host.v4()), 'd');
  const auto of_agent = cgroup_of(cluster->start_pod("late-agent", here().v4(), true), 'e');
  const auto listens = pod_server(of_late, host.ns, host.v4(), kPort);
  const auto also_listens = pod_server(of_agent, here().ns, here().v4(), kPort);
  const Ends to_pod{client_host().v4(), 5007, host.v4(), kPort};
  const Ends to_agent{client_host().v4(), 5008, here().v4(), kPort};
  const auto calls = pod_client(of_client, client_host().ns, to_pod);
  const auto also_calls = pod_client(of_client, client_host().ns, to_agent);
  const auto* expected = "client > external";
  ASSERT_EQ(becomes(expected, client_host().ns, to_pod, Direction::kEgress), expected);
  std::this_thread::sleep_for(std::chrono::nanoseconds(LateFlows::kPatienceNs) + 500ms);
  cluster->network->set({});
  expected = "client > late";
  EXPECT_EQ(becomes(expected, client_host().ns, to_pod, Direction::kEgress), expected);
  EXPECT_EQ(becomes(expected, host.ns, to_pod, Direction::kIngress), expected);
  expected = "client > late-agent";
  EXPECT_EQ(becomes(expected, client_host().ns, to_agent, Direction::kEgress), expected);
  EXPECT_EQ(becomes(expected, here().ns, to_agent, Direction::kIngress), expected);
}

TEST_F(KubeFlows, AreNamedAfterOneWordInTheLogThatAllPodsAreKnown) {
  pipeline_->stop();  // after a last snapshot
  const auto text = log_.text();
  const std::string words = "Pod watcher initial sync complete. Tracking ";
  const auto first = text.find(words);
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find(words, first + 1), std::string::npos) << text;
}

}  // namespace
}  // namespace orb8::integration
