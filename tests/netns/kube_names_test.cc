// The names of both sides of real flows on a node made by the test: pods on a bridge and pods on
// the host's network, each with a cgroup as the kubelet makes it, and a ClusterIP rewritten by
// iptables as kube-proxy does it. What the API server would tell is fed to the store.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <memory>
#include <string>

#include "core/identity/kube_test_data.h"
#include "core/pipeline/open_source.h"
#include "core/pipeline/pipeline.h"
#include "tests/need.h"
#include "tests/netns/pod_node.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::uint16_t kPort = 7000;
constexpr std::uint16_t kServicePort = 80;
const Addr kVip = Addr::v4(10, 96, 0, 10);
const Addr kLoopback = Addr::v4(127, 0, 0, 1);

std::string uid_of(int number) {
  return fmt::format("12345678-1234-1234-1234-{:012}", number);
}

k8s::Pod object(int number, const std::string& name, const Addr& addr, bool host_network) {
  auto made = pod(uid_of(number), name, {addr});
  made.host_network = host_network;
  return made;
}

class KubeNames : public SocketSourceTest {
 protected:
  void SetUp() override {
    SocketSourceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<BridgedHosts>();
    net_->up(true);
    cluster_.set(node("n1", "node-1", {here().v4()}));
    cluster_.set(object(1, "client", client_host().v4(), false));
    cluster_.set(object(2, "server", server_host().v4(), false));
    cluster_.set(object(3, "agent-a", here().v4(), true));
    cluster_.set(object(4, "agent-b", here().v4(), true));
    cluster_.set(service("s1", "web", {kVip}));
    for (const auto kind : {k8s::Kind::kService, k8s::Kind::kNode, k8s::Kind::kPod}) {
      cluster_.listed(kind, {"n1", "s1", uid_of(1), uid_of(2), uid_of(3), uid_of(4)});
    }
    Config config;
    config.flow_source = FlowSourceChoice::kSocket;
    config.node_name = "node-1";
    config.snapshot_interval_ms = 100;
    const auto on_node = here().ns.enter();  // and so is the pipeline's thread
    auto source = open_source(config);
    ASSERT_TRUE(source) << source.error().what;
    auto pipeline = Pipeline::start(config, std::move(*source), &cluster_);
    ASSERT_TRUE(pipeline) << pipeline.error().what;
    pipeline_ = std::move(*pipeline);
  }

  const Host& here() const { return net_->bridge; }
  const Host& client_host() const { return net_->hosts[0]; }
  const Host& server_host() const { return net_->hosts[1]; }

  // As kube-proxy: what is sent to the Service goes there.
  void make_service(const Addr& backend) const {
    rewrite_service(
        *net_, {.address = kVip, .port = kServicePort, .backend = backend, .backend_port = kPort});
  }

  // As the socket in `ns` sees it.
  std::string names(const NetNs& ns, const Ends& ends, Direction direction) const {
    return names_of(*pipeline_->flows(), ns, ends, kTcp, direction);
  }
  // The same, once it is so: flows and the names of the other end come with the snapshots.
  std::string becomes(const std::string& expected, const NetNs& ns, const Ends& ends,
                      Direction direction) const {
    (void)eventually([&] { return names(ns, ends, direction) == expected; });
    return names(ns, ends, direction);
  }

  static std::unique_ptr<Child> server(const PodCgroup& cgroup, const NetNs& ns, const Addr& addr) {
    return pod_server(cgroup, ns, addr, kPort);
  }

  std::unique_ptr<BridgedHosts> net_;
  KubeStore cluster_{{}};
  Cgroup top_{"orb8-test-kube"};
  Cgroup kubepods_{top_, "kubepods"};
  PodCgroup of_client_{kubepods_, uid_of(1), 'a'};
  PodCgroup of_server_{kubepods_, uid_of(2), 'b'};
  PodCgroup of_agent_a_{kubepods_, uid_of(3), 'c'};
  PodCgroup of_agent_b_{kubepods_, uid_of(4), 'd'};
  std::unique_ptr<Pipeline> pipeline_;  // first to go
};

TEST_F(KubeNames, OfTwoPodsOnABridgeAreOnBothEndsOfTheirConnection) {
  const auto listens = server(of_server_, server_host().ns, server_host().v4());
  const Ends ends{client_host().v4(), 5001, server_host().v4(), kPort};
  const auto calls = pod_client(of_client_, client_host().ns, ends);
  const auto* expected = "client > server";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
  EXPECT_EQ(becomes(expected, server_host().ns, ends, Direction::kIngress), expected);
}

TEST_F(KubeNames, OfTwoPodsOnTheHostsNetworkAreToldApartOnBothEnds) {
  for (const auto& [addr, port] : {std::pair{here().v4(), 5002}, std::pair{kLoopback, 5003}}) {
    const auto listens = server(of_agent_b_, here().ns, addr);
    const Ends ends{addr, static_cast<std::uint16_t>(port), addr, kPort};
    const auto calls = pod_client(of_agent_a_, here().ns, ends);
    const auto* expected = "agent-a > agent-b";
    EXPECT_EQ(becomes(expected, here().ns, ends, Direction::kEgress), expected);
    EXPECT_EQ(becomes(expected, here().ns, ends, Direction::kIngress), expected);
  }
}

TEST_F(KubeNames, OfAPodAndOneOnTheHostsNetworkAreOnBothEnds) {
  const auto listens = server(of_agent_b_, here().ns, here().v4());
  const Ends ends{client_host().v4(), 5004, here().v4(), kPort};
  const auto calls = pod_client(of_client_, client_host().ns, ends);
  const auto* expected = "client > agent-b";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
  EXPECT_EQ(becomes(expected, here().ns, ends, Direction::kIngress), expected);
}

TEST_F(KubeNames, OfAServiceAndOfThePodBehindItAreOnFlowsToItsAddress) {
  ORB8_NEED(::access("/usr/sbin/iptables", X_OK) == 0, "iptables is needed");
  make_service(server_host().v4());
  const auto listens = server(of_server_, server_host().ns, server_host().v4());
  const Ends from_pod{client_host().v4(), 5005, kVip, kServicePort};
  const auto calls = pod_client(of_client_, client_host().ns, from_pod);
  const auto* expected = "client > server (web)";
  EXPECT_EQ(becomes(expected, client_host().ns, from_pod, Direction::kEgress), expected);
  const Ends from_host{here().v4(), 5006, kVip, kServicePort};
  const auto also_calls = pod_client(of_agent_a_, here().ns, from_host);
  expected = "agent-a > server (web)";
  EXPECT_EQ(becomes(expected, here().ns, from_host, Direction::kEgress), expected);
}

TEST_F(KubeNames, OfAServiceAndOfAPodOnTheHostsNetworkBehindItAreOnFlowsToItsAddress) {
  ORB8_NEED(::access("/usr/sbin/iptables", X_OK) == 0, "iptables is needed");
  make_service(here().v4());
  auto behind = slice("e1", "web", {here().v4()}, kPort);
  behind.targets = {{.ip = here().v4(), .pod_uid = uid_of(4)}};
  cluster_.set(behind);
  const auto listens = server(of_agent_b_, here().ns, here().v4());
  const Ends from_pod{client_host().v4(), 5008, kVip, kServicePort};
  const auto calls = pod_client(of_client_, client_host().ns, from_pod);
  const auto* expected = "client > agent-b (web)";
  EXPECT_EQ(becomes(expected, client_host().ns, from_pod, Direction::kEgress), expected);
  const Ends from_host{here().v4(), 5009, kVip, kServicePort};
  const auto also_calls = pod_client(of_agent_a_, here().ns, from_host);
  expected = "agent-a > agent-b (web)";
  EXPECT_EQ(becomes(expected, here().ns, from_host, Direction::kEgress), expected);
}

TEST_F(KubeNames, OfAServiceAloneAreOnFlowsThatNobodyRewrites) {
  here().ns.sh(
      "ip route add 10.96.0.0/16 dev br0; ip neigh add 10.96.0.10 lladdr "
      "02:88:00:00:00:77 dev br0 nud permanent");
  const UniqueFd socket =
      bound_socket(here().ns, SOCK_STREAM | SOCK_NONBLOCK, 0, here().v4(), 5007);
  const SocketAddress to(kVip, kServicePort);
  EXPECT_EQ(::connect(socket.get(), to.get(), to.size), -1);
  const Ends ends{here().v4(), 5007, kVip, kServicePort};
  const auto seen = [&] { return names(here().ns, ends, Direction::kEgress); };
  EXPECT_TRUE(eventually([&] { return seen().ends_with(" > web (web)"); })) << seen();
}

}  // namespace
}  // namespace orb8::netns
