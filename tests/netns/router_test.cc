// A machine that forwards: a packet comes in by one interface and leaves by another, and is one.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <stdexcept>
#include <string>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

// Two networks, 10.88.<number>.0/24 and fd88:<number>::/64, and a router that is .254 in each.
class RoutedHosts {
 public:
  static constexpr auto kRouterMac = "02:88:00:00:02:fe";  // on both wires

  RoutedHosts() {
    for (const auto* host : {&left, &right}) {
      router.sh(
          fmt::format("ip link add {0} address {1} type veth peer name eth0 address {2} "
                      "netns {3}; ip link set {0} addrgenmode none",
                      nic(*host), kRouterMac, host->mac(), host->ns.path()));
      host->ns.sh("ip link set eth0 addrgenmode none");
    }
  }

  void up(bool offloads) const {
    router.sh(
        "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
    for (const auto* host : {&left, &right}) {
      host->start(offloads);
      if (!offloads) {
        router.sh(fmt::format("ethtool -K {} sg off tx off tso off gso off gro off >/dev/null",
                              nic(*host)));
      }
      router.sh(fmt::format("ip link set {} up", nic(*host)));
      await_running(host->ns, Host::kNic);
      await_running(router, nic(*host));
      give_addresses(*host);
    }
  }

  static std::string nic(const Host& host) { return fmt::format("nic{}", host.number); }
  static Addr addr(const Host& host, int family) {
    return *parse_addr(
        fmt::format(fmt::runtime(family == AF_INET ? "10.88.{}.1" : "fd88:{}::1"), host.number));
  }

  NetNs router;
  Host left{1};
  Host right{2};

 private:
  // What is sent before is counted by nobody.
  static void await_running(const NetNs& ns, const std::string& interface) {
    const auto is_up = [&] {
      return ns.sh("ip -o link show dev " + interface).find(" state UP ") != std::string::npos;
    };
    if (!eventually(is_up)) throw std::runtime_error(interface + " does not come up");
  }

  // And neighbours, so that nobody has to ask.
  void give_addresses(const Host& host) const {
    router.sh(
        fmt::format("ip addr add 10.88.{1}.254/24 dev {0}; ip addr add fd88:{1}::254/64 dev {0} "
                    "nodad",
                    nic(host), host.number));
    host.ns.sh(
        fmt::format("ip addr add 10.88.{0}.1/24 dev eth0;"
                    "ip addr add fd88:{0}::1/64 dev eth0 nodad;"
                    "ip route add default via 10.88.{0}.254;"
                    "ip -6 route add default via fd88:{0}::254;"
                    "ip neigh replace 10.88.{0}.254 lladdr {1} dev eth0 nud permanent;"
                    "ip neigh replace fd88:{0}::254 lladdr {1} dev eth0 nud permanent",
                    host.number, kRouterMac));
    for (const int family : {AF_INET, AF_INET6}) {
      router.sh(fmt::format("ip neigh replace {} lladdr {} dev {} nud permanent",
                            to_string(addr(host, family)), host.mac(), nic(host)));
    }
  }
};

class RouterTest : public NetnsTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(BothFamilies, RouterTest, testing::Values(AF_INET, AF_INET6), family_name);

TEST_P(RouterTest, CountsAForwardedPacketOnce) {
  const RoutedHosts net;
  Watcher watcher(net.router, {"nic*"});
  net.up(false);
  const Ends ends = {RoutedHosts::addr(net.left, GetParam()), 5000,
                     RoutedHosts::addr(net.right, GetParam()), 7000};
  UdpSink sink(net.right.ns, ends.dst, ends.dst_port);
  UdpSender(net.left.ns, ends).send(700, 120);
  EXPECT_EQ(sink.receive(700), 700U);

  const auto sent = Totals{1, udp_frame(ends.src, 120)} * 700;
  EXPECT_EQ(watcher.flow(ends.flow(kUdp, Direction::kIngress), sent), sent);
  EXPECT_EQ(watcher.ledger().of(ends.flow(kUdp, Direction::kEgress)), Totals{});
  // Both interfaces counted it, and one of them was believed.
  EXPECT_TRUE(eventually([&] {
    const auto seen = watcher.everything();
    const auto twice = watcher.accounting().duplicate;
    return seen + Totals{twice.packets, twice.bytes} ==
           counters_of(net.router, "nic1").all() + counters_of(net.router, "nic2").all();
  }));
}

TEST_P(RouterTest, CountsForwardedSuperPacketsAsTheirSegmentsOnce) {
  const RoutedHosts net;
  Watcher watcher(net.router, {"nic*"});
  net.up(true);
  const Ends ends = {RoutedHosts::addr(net.left, GetParam()), 5000,
                     RoutedHosts::addr(net.right, GetParam()), 7000};
  const auto outcome = transfer_tcp(net.left.ns, net.right.ns, ends, 8'000'000, 100'000);
  const std::uint64_t there = outcome.client.tcpi_segs_out;
  const std::uint64_t back = outcome.server.tcpi_segs_out + 1U;  // and the answer to the SYN
  const auto packets = [&](const Ends& way) {
    return watcher.read().of(way.flow(kTcp, Direction::kIngress)).packets;
  };
  EXPECT_EQ(settled([&] { return packets(ends); }, there), there);
  EXPECT_EQ(settled([&] { return packets(ends.reversed()); }, back), back);
  EXPECT_GE(watcher.accounting().duplicate.packets, there + back);
}

}  // namespace
}  // namespace orb8::netns
