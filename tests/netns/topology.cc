// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/topology.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/kernel/netlink.h"

namespace orb8::netns {
namespace {

constexpr std::uint8_t kOperUp = 6;  // IF_OPER_UP of <linux/if.h>, which <net/if.h> rules out
constexpr auto kThisThread = "/proc/thread-self/ns/net";

[[noreturn]] void give_up(int err, const std::string& doing) {
  throw std::runtime_error(doing + ": " + std::strerror(err));
}

UniqueFd open_namespace() {
  UniqueFd fd(::open(kThisThread, O_RDONLY | O_CLOEXEC));
  if (!fd) give_up(errno, kThisThread);
  return fd;
}

// IPv6 without autoconfiguration; addresses are given with `nodad`.
constexpr auto kQuiet =
    "cd /proc/sys/net/ipv6/conf/default; echo 0 >accept_ra; echo 0 >router_solicitations;"
    "echo 0 >autoconf; ip link set lo up";

// Both ends are down, and have no addresses but those of the link layer.
void make_wire(const Host& left, const std::string& left_nic, const std::string& left_mac,
               const Host& right) {
  left.ns.sh(
      fmt::format("ip link add {} address {} type veth peer name {} address {} netns {};"
                  "ip link set {} addrgenmode none",
                  left_nic, left_mac, Host::kNic, right.mac(), right.ns.path(), left_nic));
  right.ns.sh(fmt::format("ip link set {} addrgenmode none", Host::kNic));
}

constexpr auto kNoOffloads =
    "ethtool -K {} sg off tx off rx off tso off gso off gro off >/dev/null;";

template <class Visit>
void with_link(const NetNs& ns, const std::string& interface, const Visit& visit) {
  const auto here = ns.enter();
  auto socket = NetlinkSocket::open(0);
  if (!socket) throw std::runtime_error(socket.error().what);
  bool found = false;
  auto ok = socket->dump(
      RTM_GETLINK,
      [](nlmsghdr* request) { mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg)); },
      [&](const nlmsghdr* message) {
        bool is_it = false;
        for_each_attr(message, sizeof(ifinfomsg), [&](const nlattr* attr) {
          is_it |= mnl_attr_get_type(attr) == IFLA_IFNAME && mnl_attr_get_str(attr) == interface;
        });
        if (is_it) visit(message);
        found |= is_it;
      });
  if (!ok) throw std::runtime_error(ok.error().what);
  if (!found) throw std::runtime_error("there is no interface " + interface);
}

// Up at both ends, and ready to send.
bool is_running(const NetNs& ns, const std::string& interface) {
  bool running = false;
  with_link(ns, interface, [&](const nlmsghdr* message) {
    for_each_attr(message, sizeof(ifinfomsg), [&](const nlattr* attr) {
      if (mnl_attr_get_type(attr) == IFLA_OPERSTATE) running = mnl_attr_get_u8(attr) == kOperUp;
    });
  });
  return running;
}

}  // namespace

NetNs::Visit::Visit(int ns_fd) : home_(open_namespace()) {
  if (::setns(ns_fd, CLONE_NEWNET) != 0) give_up(errno, "enter a network namespace");
}

NetNs::Visit::~Visit() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0) std::perror("leave a network namespace");
}

NetNs::NetNs() {
  const UniqueFd home = open_namespace();
  if (::unshare(CLONE_NEWNET) != 0) give_up(errno, "make a network namespace");
  fd_ = open_namespace();
  if (::setns(home.get(), CLONE_NEWNET) != 0) give_up(errno, "leave a network namespace");
  sh(kQuiet);
}

NetNs NetNs::here() {
  return NetNs(open_namespace());
}

std::string NetNs::sh(const std::string& script) const {
  const auto here = enter();
  FILE* const output = ::popen(("exec 2>&1; set -eu;" + script).c_str(), "re");
  if (!output) give_up(errno, "start sh");
  std::string text;
  char piece[4096];
  for (std::size_t n = 0; (n = std::fread(piece, 1, sizeof(piece), output)) > 0;) {
    text.append(piece, n);
  }
  if (::pclose(output) != 0) throw std::runtime_error(script + ": " + text);
  return text;
}

std::string NetNs::path() const {
  return fmt::format("/proc/{}/fd/{}", ::getpid(), fd_.get());
}

InterfaceCounters counters_of(const NetNs& ns, const std::string& interface) {
  InterfaceCounters counters;
  with_link(ns, interface, [&](const nlmsghdr* message) {
    for_each_attr(message, sizeof(ifinfomsg), [&](const nlattr* attr) {
      if (mnl_attr_get_type(attr) != IFLA_STATS64) return;
      rtnl_link_stats64 stats = {};
      std::memcpy(&stats, mnl_attr_get_payload(attr), sizeof(stats));
      counters = {.rx = {.packets = stats.rx_packets, .bytes = stats.rx_bytes},
                  .tx = {.packets = stats.tx_packets, .bytes = stats.tx_bytes},
                  .dropped = stats.rx_dropped + stats.tx_dropped};
    });
  });
  return counters;
}

std::uint32_t ifindex_of(const NetNs& ns, const std::string& interface) {
  std::uint32_t ifindex = 0;
  with_link(ns, interface, [&](const nlmsghdr* message) {
    const auto& link = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
    ifindex = static_cast<std::uint32_t>(link.ifi_index);
  });
  return ifindex;
}

Addr Host::v6() const {
  return *parse_addr(fmt::format("fd88::{:x}", number));
}

Addr Host::addr(int family) const {
  return family == AF_INET ? v4() : v6();
}

std::string Host::mac() const {
  return fmt::format("02:88:00:00:00:{:02x}", number);
}

void Host::start(bool offloads, const std::string& interface) const {
  if (!offloads) ns.sh(fmt::format(kNoOffloads, interface));
  ns.sh(fmt::format("ip link set {} up", interface));
}

void Host::give_addresses(const std::string& interface) const {
  // Packets that find the wire's other end asleep are counted by nobody.
  if (!eventually([&] { return is_running(ns, interface); })) {
    throw std::runtime_error(interface + " does not come up");
  }
  // The link-local address first: MLD would speak from :: without, as every host does then.
  ns.sh(
      fmt::format("ip addr add fe80::{1:x}/64 dev {0} nodad; ip addr add {3}/64 dev {0} nodad;"
                  "ip addr add {2}/24 brd + dev {0}",
                  interface, number, to_string(v4()), to_string(v6())));
}

void Host::knows(const Host& peer, const std::string& interface) const {
  for (const int family : {AF_INET, AF_INET6}) {
    ns.sh(fmt::format("ip neigh replace {} lladdr {} dev {} nud permanent",
                      to_string(peer.addr(family)), peer.mac(), interface));
  }
}

TwoHosts::TwoHosts() {
  make_wire(a, Host::kNic, a.mac(), b);
}

void TwoHosts::up(bool offloads) const {
  a.start(offloads);
  b.start(offloads);
  a.give_addresses();
  b.give_addresses();
  a.knows(b);
  b.knows(a);
}

BridgedHosts::BridgedHosts() {
  bridge.ns.sh(fmt::format(
      "ip link add br0 address {} type bridge stp_state 0 mcast_snooping 0 forward_delay 0;"
      "ip link set br0 addrgenmode none",
      bridge.mac()));
  for (const auto& host : hosts) {
    const auto port = fmt::format("port{}", host.number);
    make_wire(bridge, port, fmt::format("02:88:00:00:01:{:02x}", host.number), host);
    bridge.ns.sh(fmt::format("ip link set {} master br0", port));
  }
}

void BridgedHosts::up(bool offloads) const {
  bridge.start(offloads, "br0");
  for (const auto& host : hosts) {
    bridge.start(offloads, fmt::format("port{}", host.number));
    host.start(offloads);
  }
  bridge.give_addresses("br0");
  for (const auto& host : hosts) {
    host.give_addresses();
    bridge.knows(host, "br0");
    host.knows(bridge);
    for (const auto& peer : hosts) {
      if (host.number != peer.number) host.knows(peer);
    }
  }
}

}  // namespace orb8::netns
