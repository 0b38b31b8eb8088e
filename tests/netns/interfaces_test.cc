// Interfaces that come, go, move and change their names while the source runs.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/netns/attached.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

bool all_healthy(const SourceStatus& status) {
  return std::ranges::all_of(status.components, [](const auto& part) { return part.healthy; });
}

std::size_t programs_on(const SourceStatus& status, const std::string& interface) {
  return static_cast<std::size_t>(std::ranges::count(
      status.programs, interface, [](const auto& program) { return program.interface; }));
}

class InterfacesTest : public NetnsTest, public testing::WithParamInterface<TcMechanism> {
 protected:
  static TcSource::Options options(std::vector<std::string> interfaces) {
    return {.interfaces = std::move(interfaces), .mechanism = GetParam(), .reason = "test"};
  }
  // Something is there for handle_ready() to do.
  static bool wakes(Watcher& watcher) {
    std::vector<pollfd> fds;
    for (const auto& wait : watcher.source().wait_fds()) {
      fds.push_back({.fd = wait.fd, .events = POLLIN, .revents = 0});
    }
    return ::poll(fds.data(), fds.size(), 0) > 0;
  }
  // The source followed all that happened: it has programs on so many interfaces.
  static bool follows(Watcher& watcher, std::size_t interfaces) {
    return eventually([&] {
      watcher.read();
      return watcher.status().programs.size() == interfaces * 2;
    });
  }
};

INSTANTIATE_TEST_SUITE_P(EachMechanism, InterfacesTest,
                         testing::Values(TcMechanism::kTcx, TcMechanism::kClsact),
                         [](const auto& mechanism) {
                           return mechanism.param == TcMechanism::kTcx ? "TCX" : "clsact";
                         });

TEST_P(InterfacesTest, WatchesAnInterfaceThatComesLaterAndLetsGoOfItWhenItGoes) {
  const Host here(1);
  const Host there(2);
  Watcher watcher(here.ns, options({"lo", "pod*"}));
  EXPECT_EQ(watcher.status().programs.size(), 2U);

  here.ns.sh(
      fmt::format("ip link add pod7 address {} type veth peer name eth0 address {} netns {};"
                  "ip link set pod7 addrgenmode none",
                  here.mac(), there.mac(), there.ns.path()));
  there.ns.sh("ip link set eth0 addrgenmode none");
  ASSERT_TRUE(follows(watcher, 2));
  EXPECT_EQ(programs_on(watcher.status(), "pod7"), 2U);
  const auto mechanism = GetParam() == TcMechanism::kTcx ? "tcx" : "clsact";
  for (const auto& program : watcher.status().programs) EXPECT_EQ(program.mechanism, mechanism);

  here.start(false, "pod7");
  there.start(false);
  here.give_addresses("pod7");
  there.give_addresses();
  here.knows(there, "pod7");
  there.knows(here);
  const Ends in = {there.v4(), 5000, here.v4(), 7000};
  UdpSink sink(here.ns, in.dst, in.dst_port);
  UdpSender(there.ns, in).send(200, 90);
  EXPECT_EQ(sink.receive(200), 200U);
  const auto sent = Totals{1, udp_frame(in.src, 90)} * 200;
  EXPECT_EQ(watcher.flow(in.flow(kUdp, Direction::kIngress), sent), sent);
  EXPECT_TRUE(
      eventually([&] { return watcher.everything() == counters_of(here.ns, "pod7").all(); }));

  here.ns.sh("ip link del pod7");
  ASSERT_TRUE(follows(watcher, 1));
  EXPECT_EQ(programs_on(watcher.status(), "lo"), 2U);
  EXPECT_TRUE(all_healthy(watcher.status()));
  EXPECT_EQ(watcher.read().of(in.flow(kUdp, Direction::kIngress)), sent) << "nothing is forgotten";
}

TEST_P(InterfacesTest, FollowsANewName) {
  const NetNs ns;
  ns.sh("ip link add old type veth peer name other");
  Watcher watcher(ns, options({"lo", "old", "new"}));
  EXPECT_EQ(programs_on(watcher.status(), "old"), 2U);
  const auto before = tcx_programs(ns, "old", Direction::kIngress);
  ns.sh("ip link set old name new");
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return programs_on(watcher.status(), "new") == 2 && programs_on(watcher.status(), "old") == 0;
  }));
  EXPECT_EQ(tcx_programs(ns, "new", Direction::kIngress), before) << "it stayed attached";
  ns.sh("ip link set new name unwanted");
  ASSERT_TRUE(follows(watcher, 1));
  EXPECT_TRUE(tcx_programs(ns, "unwanted", Direction::kIngress).empty());
  EXPECT_TRUE(filters(ns, "unwanted", Direction::kIngress).empty());
}

// As a pod's interface does that is made on the node.
TEST_P(InterfacesTest, LetsGoOfAnInterfaceThatMovesToAnotherNamespace) {
  const NetNs ns;
  const NetNs other;
  ns.sh("ip link add pod1 type veth peer name host1");
  Watcher watcher(ns, options({"lo", "pod*"}));
  ASSERT_EQ(programs_on(watcher.status(), "pod1"), 2U);
  ns.sh("ip link set pod1 netns " + other.path());
  ASSERT_TRUE(follows(watcher, 1));
  EXPECT_TRUE(all_healthy(watcher.status()));
  for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
    EXPECT_TRUE(tcx_programs(other, "pod1", direction).empty());
    EXPECT_TRUE(filters(other, "pod1", direction).empty());
  }
}

// A hundred pods at once must not keep a snapshot waiting until all of theirs are attached.
TEST_P(InterfacesTest, AttachesToManyThatComeLaterAFewAtATime) {
  const NetNs ns;
  const auto make = [&](const std::string& name) {
    for (int i = 0; i < 5; ++i)
      ns.sh(fmt::format("ip link add {0}{1}a type veth peer {0}{1}b", name, i));
  };
  make("pod");
  Watcher watcher(ns, options({"lo", "pod*", "late*"}));
  const auto interfaces = [&] { return watcher.status().programs.size() / 2; };
  ASSERT_EQ(interfaces(), 11U) << "at the start, all";

  make("late");
  std::size_t rounds = 0;
  for (auto before = interfaces(); before < 21U; before = interfaces()) {
    // All that came is told by now; what is left to do wakes the pipeline again.
    ASSERT_TRUE(wakes(watcher)) << before;
    watcher.read_ready();
    EXPECT_LE(interfaces(), before + 4);
    ASSERT_LE(++rounds, 20U);
  }
  watcher.read_ready();
  EXPECT_FALSE(wakes(watcher)) << "nothing is left to do";
}

TEST_P(InterfacesTest, SaysSoWhereNothingMatches) {
  const NetNs ns;
  Watcher watcher(ns, options({"pod*"}));
  EXPECT_FALSE(all_healthy(watcher.status()));
  ns.sh("ip link add pod1 type veth peer name host1");
  ASSERT_TRUE(follows(watcher, 1));
  EXPECT_TRUE(all_healthy(watcher.status()));
}

// With clsact more interfaces in all than the kernel's table of hooks has room for at once. TCX
// takes an RCU grace period for each attachment, so there are fewer.
TEST_P(InterfacesTest, StaysRightWhileInterfacesComeAndGoByTheHundreds) {
  const TwoHosts net;
  Watcher watcher(net.b.ns, options({"eth0", "load*"}));
  net.up();
  const Ends ends = {net.a.v4(), 5000, net.b.v4(), 7000};
  std::atomic<std::size_t> sent = 0;
  std::jthread traffic([&](const std::stop_token& stop) {
    UdpSink sink(net.b.ns, ends.dst, ends.dst_port);
    UdpSender sender(net.a.ns, ends);
    while (!stop.stop_requested()) {
      sender.send(10, 30);
      EXPECT_EQ(sink.receive(sent + 10), sent + 10);
      sent += 10;
    }
  });

  // Two interfaces each, two hooks for each of them.
  const std::size_t pairs = GetParam() == TcMechanism::kTcx ? 15 : 150;
  constexpr std::size_t kRounds = 8;
  std::string make;
  for (std::size_t i = 0; i < pairs; ++i) {
    make += fmt::format("echo link add load{0}a group 7 type veth peer name load{0}b group 7;", i);
  }
  for (std::size_t round = 0; round < kRounds; ++round) {
    net.b.ns.sh("(" + make + ") | ip -batch -");
    if (round % 2 == 0) {
      ASSERT_TRUE(follows(watcher, 1 + 2 * pairs));
    } else {
      watcher.read_ready();  // some are gone before it looks
    }
    net.b.ns.sh("ip link del group 7");
    const auto before = sent.load();
    EXPECT_TRUE(eventually([&] { return sent > before; })) << "traffic stands still";
  }
  traffic.request_stop();
  traffic.join();

  ASSERT_TRUE(follows(watcher, 1));
  EXPECT_TRUE(all_healthy(watcher.status()));
  const auto expected = Totals{1, udp_frame(ends.src, 30)} * sent;
  EXPECT_EQ(watcher.flow(ends.flow(kUdp, Direction::kIngress), expected), expected);
  EXPECT_TRUE(eventually([&] { return watcher.everything() == net.b.counters().all(); }));
  EXPECT_EQ(watcher.accounting().duplicate.packets, 0U);
}

class RefusalTest : public NetnsTest {};

TEST_F(RefusalTest, DoesNotKeepOthersWaiting) {
  const NetNs ns;
  for (int i = 0; i < 5; ++i) {
    ns.sh(fmt::format("ip link add odd{0}a type veth peer odd{0}b;", i));
    for (const char* end : {"a", "b"}) {
      // A filter of another kind at the priority of ours.
      ns.sh(
          fmt::format("tc qdisc add dev odd{0}{1} clsact; tc filter add dev odd{0}{1} ingress "
                      "protocol ip prio 1 u32 match u32 0 0 flowid 1:1",
                      i, end));
    }
  }
  Watcher watcher(ns, TcSource::Options{.interfaces = {"lo", "odd*", "pod*"},
                                        .mechanism = TcMechanism::kClsact,
                                        .reason = "test"});
  EXPECT_EQ(watcher.status().programs.size(), 2U) << "on lo";
  EXPECT_FALSE(all_healthy(watcher.status()));
  watcher.read();  // tries them again
  ns.sh("ip link add pod1 type veth peer other");
  EXPECT_TRUE(eventually([&] {
    watcher.read_ready();
    return programs_on(watcher.status(), "pod1") == 2;
  }));
  EXPECT_FALSE(all_healthy(watcher.status()));

  for (int i = 0; i < 5; ++i) {
    for (const char* end : {"a", "b"})
      ns.sh(fmt::format("tc qdisc del dev odd{}{} clsact", i, end));
  }
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return watcher.status().programs.size() == 12 * 2;
  }));
  EXPECT_TRUE(all_healthy(watcher.status()));
}

class DiscoveryTest : public NetnsTest {};

TEST_F(DiscoveryTest, FollowsTheDefaultRoute) {
  const TwoHosts net;
  Watcher watcher(net.b.ns, std::vector<std::string>{});
  EXPECT_EQ(programs_on(watcher.status(), "eth0"), 0U);
  EXPECT_EQ(programs_on(watcher.status(), "lo"), 2U);
  net.up();
  net.b.ns.sh("ip route add default via " + to_string(net.a.v4()));
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return programs_on(watcher.status(), "eth0") == 2;
  }));
  net.b.ns.sh("ip route del default");
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return programs_on(watcher.status(), "eth0") == 0;
  }));
  net.b.ns.sh("ip -6 route add default via " + to_string(net.a.v6()));
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return programs_on(watcher.status(), "eth0") == 2;
  }));
  net.b.ns.sh("ip link add docker0 type bridge; ip link add br-1 type bridge");
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return programs_on(watcher.status(), "docker0") == 2 &&
           programs_on(watcher.status(), "br-1") == 2;
  }));
}

}  // namespace
}  // namespace orb8::netns
