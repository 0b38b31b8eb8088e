// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/node_with_pods.h"

#include <spdlog/fmt/fmt.h>

#include <stdexcept>

namespace orb8::netns {
namespace {

constexpr auto kUplinkMac = "02:88:00:00:00:f9";
constexpr auto kGatewayMac = "02:88:00:00:00:fe";  // at each routed pod's wire

std::string end_of(const Host& pod) {
  return fmt::format("{}{}", pod.number < 3 ? "veth" : "ptp", pod.number);
}

Place routed(const Host& pod) {
  return {.ns = &pod.ns,
          .v4 = Addr::v4(10, 88, 30, pod.number),
          .v6 = *parse_addr(fmt::format("fd88:30::{:x}", pod.number))};
}

void make_wire(const NetNs& node, const std::string& name, const std::string& mac,
               const Host& other) {
  // From the other side, and handed to the node, as CNI's plugins do.
  other.ns.sh(
      fmt::format("ip link add {} address {} type veth peer name {} address {} netns {};"
                  "ip link set {} addrgenmode none",
                  Host::kNic, other.mac(), name, mac, node.path(), Host::kNic));
  node.sh(fmt::format("ip link set {} addrgenmode none", name));
}

void know(const NetNs& ns, const Place& peer, const std::string& mac, const std::string& nic) {
  for (const int family : {AF_INET, AF_INET6}) {
    ns.sh(fmt::format("ip neigh replace {} lladdr {} dev {} nud permanent",
                      to_string(peer.addr(family)), mac, nic));
  }
}

void await_running(const NetNs& ns, const std::string& interface) {
  const auto is_up = [&] {
    return ns.sh("ip -o link show dev " + interface).find(" state UP ") != std::string::npos;
  };
  if (!eventually(is_up)) throw std::runtime_error(interface + " does not come up");
}

}  // namespace

NodeWithPods::NodeWithPods() {
  node().sh(
      fmt::format("ip link add cni0 address {} type bridge stp_state 0 mcast_snooping 0 "
                  "forward_delay 0; ip link set cni0 addrgenmode none;"
                  "echo 1 >/proc/sys/net/ipv4/ip_forward;"
                  "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding;"
                  "echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects;"
                  "echo 0 >/proc/sys/net/ipv4/conf/default/send_redirects",
                  node_.mac()));
  for (const auto& pod : pods_) {
    const bool on_bridge = pod.number < 3;
    make_wire(node(), end_of(pod),
              on_bridge ? fmt::format("02:88:00:00:01:{:02x}", pod.number) : kGatewayMac, pod);
    if (on_bridge) node().sh(fmt::format("ip link set {} master cni0", end_of(pod)));
  }
  make_wire(node(), "up0", kUplinkMac, world_);
}

void NodeWithPods::up() const {
  node_.start(false, "cni0");
  for (const auto& pod : pods_) {
    node_.start(false, end_of(pod));
    pod.start(false);
  }
  node_.start(false, "up0");
  world_.start(false);
  give_bridge();
  for (const auto* pod : {&pods_[2], &pods_[3]}) give_routes(*pod);
  give_uplink();
}

void NodeWithPods::give_bridge() const {
  node_.give_addresses("cni0");
  for (const auto* pod : {&pods_[0], &pods_[1]}) {
    await_running(node(), end_of(*pod));
    pod->give_addresses();
    pod->ns.sh(fmt::format("ip route add default via {}; ip -6 route add default via {}",
                           to_string(node_.v4()), to_string(node_.v6())));
    node_.knows(*pod, "cni0");
    pod->knows(node_);
  }
  pods_[0].knows(pods_[1]);
  pods_[1].knows(pods_[0]);
}

void NodeWithPods::give_routes(const Host& pod) const {
  const auto at = routed(pod);
  const auto via = gateway();
  await_running(pod.ns, Host::kNic);
  await_running(node(), end_of(pod));
  for (const int family : {AF_INET, AF_INET6}) {
    const auto ip = family == AF_INET ? "ip -4" : "ip -6";
    const auto* nodad = family == AF_INET ? "" : " nodad";
    const auto own = to_string(at.addr(family));
    const auto gate = to_string(via.addr(family));
    node().sh(fmt::format("{0} addr add {1} dev {3}{4}; {0} route add {2} dev {3}", ip, gate, own,
                          end_of(pod), nodad));
    pod.ns.sh(
        fmt::format("{0} addr add {1} dev eth0{3}; {0} route add {2} dev eth0;"
                    "{0} route add default via {2} dev eth0",
                    ip, own, gate, nodad));
  }
  know(node(), at, pod.mac(), end_of(pod));
  know(pod.ns, via, kGatewayMac, Host::kNic);
}

void NodeWithPods::give_uplink() const {
  await_running(node(), "up0");
  await_running(world_.ns, Host::kNic);
  node().sh(
      "ip addr add 10.88.50.9/24 dev up0; ip addr add fd88:50::9/64 dev up0 nodad;"
      "ip route add default via 10.88.50.5; ip -6 route add default via fd88:50::5");
  world_.ns.sh(
      "ip addr add 10.88.50.5/24 dev eth0; ip addr add fd88:50::5/64 dev eth0 nodad;"
      "ip route add 10.88.0.0/16 via 10.88.50.9; ip -6 route add fd88::/16 via fd88:50::9");
  know(node(), world(), world_.mac(), "up0");
  know(world_.ns, {.ns = &node(), .v4 = Addr::v4(10, 88, 50, 9), .v6 = *parse_addr("fd88:50::9")},
       kUplinkMac, Host::kNic);
}

Place NodeWithPods::pod(std::size_t number) const {
  const auto& pod = host(number);
  if (number < 3) return {.ns = &pod.ns, .v4 = pod.v4(), .v6 = pod.v6()};
  return routed(pod);
}

Place NodeWithPods::world() const {
  return {.ns = &world_.ns, .v4 = Addr::v4(10, 88, 50, 5), .v6 = *parse_addr("fd88:50::5")};
}

Place NodeWithPods::on_bridge() const {
  return {.ns = &node(), .v4 = node_.v4(), .v6 = node_.v6()};
}

Place NodeWithPods::gateway() const {
  return {.ns = &node(), .v4 = Addr::v4(10, 88, 30, 254), .v6 = *parse_addr("fd88:30::fe")};
}

std::string NodeWithPods::name_of(std::uint32_t ifindex) const {
  for (const auto* name : {"up0", "cni0", "veth1", "veth2", "ptp3", "ptp4", "lo"}) {
    if (ifindex_of(node(), name) == ifindex) return name;
  }
  return std::to_string(ifindex);
}

}  // namespace orb8::netns
