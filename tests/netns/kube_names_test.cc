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
#include "tests/netns/cgroup.h"
#include "tests/netns/child.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::uint16_t kPort = 7000;
constexpr std::uint16_t kServicePort = 80;
const Addr kVip = Addr::v4(10, 96, 0, 10);
const Addr kLoopback = Addr::v4(127, 0, 0, 1);
const std::string kPayload(4000, 'x');

// The cgroups of a pod with one container.
class PodCgroup {
 public:
  PodCgroup(const Cgroup& kubepods, const std::string& uid, char digit)
      : pod_(kubepods, "pod" + uid), container_(pod_, std::string(64, digit)) {}
  void enter() const { container_.enter(); }

 private:
  Cgroup pod_;
  Cgroup container_;
};

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

  // As kube-proxy: what is sent to the Service goes to the server, and answers come back this way.
  void make_service() const {
    const auto dnat =
        fmt::format("-d {} -p tcp --dport {} -j DNAT --to-destination {}:{}", to_string(kVip),
                    kServicePort, to_string(server_host().v4()), kPort);
    here().ns.sh(
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0"
        " net.ipv4.conf.br0.send_redirects=0; ip route add 10.96.0.0/16 dev br0;"
        "iptables -w -t nat -A PREROUTING " +
        dnat +
        ";"
        "iptables -w -t nat -A OUTPUT " +
        dnat +
        ";"
        "iptables -w -t nat -A POSTROUTING -p tcp -j MASQUERADE");
    client_host().ns.sh("ip route add 10.96.0.0/16 via " + to_string(here().v4()));
  }

  // "client > server (web)", as the socket in `ns` sees it.
  std::string names(const NetNs& ns, const Ends& ends, Direction direction) const {
    auto key = ends.flow(kTcp, direction);
    std::string text = "no flow";
    pipeline_->flows()->for_each([&](const Flow& flow) {
      key.socket = flow.key.socket;
      if (flow.key != key || flow.socket.netns != netns_inode(ns)) return;
      const auto& owners = *flow.owners;
      text = fmt::format("{} > {}", name_of(owners.src), name_of(owners.dst));
      for (const auto* service : {&owners.src_service, &owners.dst_service}) {
        if (*service) text += fmt::format(" ({})", (*service)->name);
      }
    });
    return text;
  }
  // The same, once it is so: flows and the names of the other end come with the snapshots.
  std::string becomes(const std::string& expected, const NetNs& ns, const Ends& ends,
                      Direction direction) const {
    (void)eventually([&] { return names(ns, ends, direction) == expected; });
    return names(ns, ends, direction);
  }

  static std::string name_of(const EndpointRef& endpoint) {
    if (!endpoint) return "?";
    return endpoint->name.empty() ? std::string(to_string(endpoint->kind)) : endpoint->name;
  }

  // A process of the pod's that listens.
  static std::unique_ptr<Child> server(const PodCgroup& cgroup, const NetNs& ns, const Addr& addr) {
    return std::make_unique<Child>([&] {
      cgroup.enter();
      static UniqueFd listener;  // of the child, for as long as that lives
      listener = bound_socket(ns, SOCK_STREAM, 0, addr, kPort);
      must(::listen(listener.get(), 8), "listen");
    });
  }
  // One that talks to a server.
  static std::unique_ptr<Child> client(const PodCgroup& cgroup, const NetNs& ns, const Ends& ends) {
    return std::make_unique<Child>([&] {
      cgroup.enter();
      static UniqueFd socket;
      socket = bound_socket(ns, SOCK_STREAM, 0, ends.src, ends.src_port);
      connect_to(socket.get(), ends.dst, ends.dst_port);
      must(::send(socket.get(), kPayload.data(), kPayload.size(), 0), "send");
    });
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
  const auto calls = client(of_client_, client_host().ns, ends);
  const auto* expected = "client > server";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
  EXPECT_EQ(becomes(expected, server_host().ns, ends, Direction::kIngress), expected);
}

TEST_F(KubeNames, OfTwoPodsOnTheHostsNetworkAreToldApartOnBothEnds) {
  for (const auto& [addr, port] : {std::pair{here().v4(), 5002}, std::pair{kLoopback, 5003}}) {
    const auto listens = server(of_agent_b_, here().ns, addr);
    const Ends ends{addr, static_cast<std::uint16_t>(port), addr, kPort};
    const auto calls = client(of_agent_a_, here().ns, ends);
    const auto* expected = "agent-a > agent-b";
    EXPECT_EQ(becomes(expected, here().ns, ends, Direction::kEgress), expected);
    EXPECT_EQ(becomes(expected, here().ns, ends, Direction::kIngress), expected);
  }
}

TEST_F(KubeNames, OfAPodAndOneOnTheHostsNetworkAreOnBothEnds) {
  const auto listens = server(of_agent_b_, here().ns, here().v4());
  const Ends ends{client_host().v4(), 5004, here().v4(), kPort};
  const auto calls = client(of_client_, client_host().ns, ends);
  const auto* expected = "client > agent-b";
  EXPECT_EQ(becomes(expected, client_host().ns, ends, Direction::kEgress), expected);
  EXPECT_EQ(becomes(expected, here().ns, ends, Direction::kIngress), expected);
}

TEST_F(KubeNames, OfAServiceAndOfThePodBehindItAreOnFlowsToItsAddress) {
  ORB8_NEED(::access("/usr/sbin/iptables", X_OK) == 0, "iptables is needed");
  make_service();
  const auto listens = server(of_server_, server_host().ns, server_host().v4());
  const Ends from_pod{client_host().v4(), 5005, kVip, kServicePort};
  const auto calls = client(of_client_, client_host().ns, from_pod);
  const auto* expected = "client > server (web)";
  EXPECT_EQ(becomes(expected, client_host().ns, from_pod, Direction::kEgress), expected);
  const Ends from_host{here().v4(), 5006, kVip, kServicePort};
  const auto also_calls = client(of_agent_a_, here().ns, from_host);
  expected = "agent-a > server (web)";
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
