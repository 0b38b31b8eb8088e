// A node with pods, made by the test: each pod has a cgroup as the kubelet makes it, and Services
// are rewritten by iptables as kube-proxy does it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/flow/flow_table.h"
#include "tests/netns/cgroup.h"
#include "tests/netns/child.h"
#include "tests/netns/topology.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {

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

// A process of the pod's that waits at the address; SOCK_STREAM or SOCK_DGRAM.
std::unique_ptr<Child> pod_server(const PodCgroup& pod, const NetNs& ns, const Addr& addr,
                                  std::uint16_t port, int type = SOCK_STREAM);
// One that has sent something from one end to the other.
std::unique_ptr<Child> pod_client(const PodCgroup& pod, const NetNs& ns, const Ends& ends,
                                  int type = SOCK_STREAM);

// What is sent to a Service's address (10.96.0.0/16), by hosts[0] or the node itself, goes to the
// backend, and answers come back this way. `protocol`: tcp or udp.
struct ServiceRule {
  std::string protocol = "tcp";
  Addr address;
  std::uint16_t port = 0;
  Addr backend;
  std::uint16_t backend_port = 0;
};
void rewrite_service(const BridgedHosts& net, const ServiceRule& rule);

// Who a flow is between: "client > server", and the Services that were addressed, "(web)". It is
// the flow of the socket in `ns`; "no flow" where there is none.
std::string names_of(const FlowSnapshot& flows, const NetNs& ns, const Ends& ends,
                     std::uint8_t protocol, Direction direction);

}  // namespace orb8::netns
