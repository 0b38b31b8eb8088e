// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/pod_node.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

std::string name_of(const EndpointRef& endpoint) {
  if (!endpoint) return "?";
  return endpoint->name.empty() ? std::string(to_string(endpoint->kind)) : endpoint->name;
}

}  // namespace

std::unique_ptr<Child> pod_server(const PodCgroup& pod, const NetNs& ns, const Addr& addr,
                                  std::uint16_t port, int type) {
  return std::make_unique<Child>([&] {
    pod.enter();
    static UniqueFd socket;  // of the child, for as long as that lives
    socket = bound_socket(ns, type, 0, addr, port);
    if (type == SOCK_STREAM) must(::listen(socket.get(), 8), "listen");
  });
}

std::unique_ptr<Child> pod_client(const PodCgroup& pod, const NetNs& ns, const Ends& ends,
                                  int type) {
  return std::make_unique<Child>([&] {
    pod.enter();
    static UniqueFd socket;
    const std::string payload(1000, 'x');
    socket = bound_socket(ns, type, 0, ends.src, ends.src_port);
    connect_to(socket.get(), ends.dst, ends.dst_port);
    must(::send(socket.get(), payload.data(), payload.size(), 0), "send");
  });
}

void rewrite_service(const BridgedHosts& net, const ServiceRule& rule) {
  const auto& node = net.bridge;
  const auto to = to_string(rule.backend);
  const auto dnat =
      fmt::format("-d {} -p {} --dport {} -j DNAT --to-destination {}:{};", to_string(rule.address),
                  rule.protocol, rule.port, to, rule.backend_port);
  node.ns.sh(
      "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0"
      " net.ipv4.conf.br0.send_redirects=0; ip route replace 10.96.0.0/16 dev br0;"
      "iptables -w -t nat -A PREROUTING " +
      dnat + "iptables -w -t nat -A OUTPUT " + dnat +
      fmt::format("iptables -w -t nat -A POSTROUTING -d {} -p {} -j MASQUERADE", to,
                  rule.protocol));
  net.hosts[0].ns.sh("ip route replace 10.96.0.0/16 via " + to_string(node.v4()));
}

std::string names_of(const FlowSnapshot& flows, const NetNs& ns, const Ends& ends,
                     std::uint8_t protocol, Direction direction) {
  auto key = ends.flow(protocol, direction);
  std::string text = "no flow";
  flows.for_each([&](const Flow& flow) {
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

}  // namespace orb8::netns
