// Packet events: only for who asks, only what he asks for, and woken, not polled.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <set>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/sockets.h"
#include "tests/netns/traffic.h"
#include "tests/netns/watcher.h"

namespace orb8::netns {
namespace {

class PacketEventsTest : public NetnsTest {
 protected:
  void start(std::uint32_t ring_bytes = 1U << 20) {
    net_ = std::make_unique<TwoHosts>();
    watcher_ = std::make_unique<Watcher>(
        b().ns, TcSource::Options{
                    .interfaces = {"eth0"}, .packet_ring_bytes = ring_bytes, .reason = "test"});
    net_->up();
  }

  const Host& a() const { return net_->a; }
  const Host& b() const { return net_->b; }
  Watcher& watcher() const { return *watcher_; }
  const std::vector<Event>& events() const { return watcher().packets(); }

  Ends to_b(std::uint16_t port, int family = AF_INET) const {
    return {a().addr(family), 5000, b().addr(family), port};
  }
  void send(const Ends& ends, std::size_t count, std::size_t payload = 50) const {
    UdpSink sink(b().ns, ends.dst, ends.dst_port);
    UdpSender(a().ns, ends).send(count, payload);
    EXPECT_EQ(sink.receive(count), count);
  }
  // So many events in all, if not more.
  std::size_t events_once(std::size_t count) const {
    return settled([this] { return watcher().read_ready(), events().size(); }, count);
  }
  std::set<std::uint16_t> ports() const {
    std::set<std::uint16_t> seen;
    for (const auto& event : events()) seen.insert(event.flow.key.dst_port);
    return seen;
  }

 private:
  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(PacketEventsTest, AreNotMadeWhenNobodyListens) {
  start();
  send(to_b(7000), 100);
  EXPECT_EQ(watcher()
                .flow(to_b(7000).flow(kUdp, Direction::kIngress),
                      Totals{1, udp_frame(a().v4(), 50)} * 100)
                .packets,
            100U);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(watcher().accounting().packet_events, 0U);
}

TEST_F(PacketEventsTest, TellTheWholePacket) {
  start();
  for (const int family : {AF_INET, AF_INET6}) {
    const auto ends = to_b(7000, family);
    watcher().want_packets({{.ports = PortRange{7000, 7000}}});
    const auto before = events().size();
    const auto now_ns = std::time(nullptr) * 1'000'000'000;
    send(ends, 1, 321);
    ASSERT_EQ(events_once(before + 1), before + 1);
    const auto& event = events().back();
    EXPECT_EQ(event.kind, EventKind::kPacket);
    EXPECT_EQ(event.flow.key, ends.flow(kUdp, Direction::kIngress));
    EXPECT_EQ(event.packets, 1U);
    EXPECT_EQ(event.bytes, udp_frame(ends.src, 321));
    EXPECT_EQ(event.flow.ifindex, ifindex_of(b().ns, "eth0"));
    EXPECT_GE(event.timestamp_ns, now_ns - 1'000'000'000);
    EXPECT_LE(event.timestamp_ns, now_ns + 60'000'000'000);
  }
}

TEST_F(PacketEventsTest, AreOnlyOfPacketsThatAFilterWants) {
  start();
  const auto talk = [this] {
    send(to_b(7001), 10);
    send(to_b(7002), 10);
    send(to_b(7003, AF_INET6), 10);
    ping(a().ns, a().v4(), b().v4(), 5, 20);
    return watcher().read();
  };
  struct Wish {
    std::vector<PacketFilter> filters;
    std::size_t events;
  };
  const auto b_v4 = Prefix{b().v4(), 128};
  const std::vector<Wish> wishes = {
      {{{.ports = PortRange{7001, 7001}}}, 10},
      {{{.ports = PortRange{7001, 7001}}, {.ports = PortRange{7003, 7003}}}, 20},
      {{{.protocol = kUdp}}, 30},
      {{{.protocol = kIcmp}}, 10},
      {{{.protocol = kIcmp, .direction = Direction::kEgress}}, 5},
      {{{.prefix = b_v4}}, 30},
      {{{.prefix = b_v4, .protocol = kUdp}}, 20},
      {{{.prefix = parse_prefix("fd88::/16"), .protocol = kUdp}}, 10},
      {{{.prefix = parse_prefix("192.0.2.0/24")}}, 0},
      {{}, 0},
  };
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    const auto before = events().size();
    watcher().want_packets(wishes[i].filters);
    talk();
    EXPECT_EQ(events_once(before + wishes[i].events), before + wishes[i].events) << "wish " << i;
    for (auto at = before; at < events().size(); ++at) {
      EXPECT_TRUE(std::ranges::any_of(
          wishes[i].filters,
          [&](const PacketFilter& filter) { return filter.matches(events()[at].flow.key); }))
          << "wish " << i;
    }
  }
}

TEST_F(PacketEventsTest, AreOfEveryPacketWhereMoreIsAskedThanTheKernelEvaluates) {
  start();
  std::vector<PacketFilter> many;
  for (std::uint16_t port = 100; port < 117; ++port)
    many.push_back({.ports = PortRange{port, port}});
  watcher().want_packets(many);
  send(to_b(7001), 10);
  EXPECT_TRUE(eventually([this] { return watcher().read_ready(), ports().contains(7001); }));
  many.pop_back();  // 16: these it evaluates
  watcher().want_packets(many);
  watcher().read();
  const auto before = events().size();
  send(to_b(7002), 10);
  watcher().read();
  EXPECT_EQ(events().size(), before);
}

TEST_F(PacketEventsTest, ThatFindNoRoomAreCounted) {
  start(64U * 1024);
  watcher().want_packets({{.ports = PortRange{7000, 7000}}});
  send(to_b(7000), 5000);
  const auto total = [this] {
    const auto seen = watcher().accounting();
    return seen.packet_events + seen.packet_events_lost;
  };
  EXPECT_EQ(settled(total, std::uint64_t{5000}), 5000U);
  EXPECT_GT(watcher().accounting().packet_events_lost, 0U);
  EXPECT_EQ(events_once(watcher().accounting().packet_events),
            watcher().accounting().packet_events);
}

TEST_F(PacketEventsTest, ComeAtMostSoManyACall) {
  start();
  watcher().want_packets({{.ports = PortRange{7000, 7000}}});
  send(to_b(7000), 100);
  EXPECT_EQ(watcher().read_ready(30), 30U);
  EXPECT_EQ(events().size(), 30U);
  EXPECT_EQ(watcher().read_ready(30), 30U);
  EXPECT_EQ(watcher().read_ready(1000), 40U);
  EXPECT_EQ(watcher().read_ready(1000), 0U);
}

// As the pipeline waits: on descriptors, edge-triggered.
class WakeUps {
 public:
  explicit WakeUps(const FlowSource& source) : fd_(must(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
    for (const auto& wait : source.wait_fds()) {
      epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.fd = wait.fd}};
      must(::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, wait.fd, &event), "epoll_ctl");
    }
  }
  // The descriptors that woke us, within so many milliseconds.
  std::vector<int> within(int ms) const {
    epoll_event events[8] = {};
    const int ready = must(::epoll_wait(fd_.get(), events, 8, ms), "epoll_wait");
    std::vector<int> fds;
    for (int i = 0; i < ready; ++i) fds.push_back(events[i].data.fd);
    return fds;
  }

 private:
  UniqueFd fd_;
};

TEST_F(PacketEventsTest, WakeTheReaderOfAnEmptyRingAndThenOnceEachEighth) {
  constexpr int kLong = 20'000;
  start(64U * 1024);
  const auto ring = watcher().source().wait_fds()[0];
  ASSERT_TRUE(ring.may_wait);
  const WakeUps wake_ups(watcher().source());
  wake_ups.within(0);  // what came before
  watcher().read();

  send(to_b(7000), 20);
  EXPECT_TRUE(wake_ups.within(0).empty()) << "nobody listens";

  watcher().want_packets({{.ports = PortRange{7000, 7000}}});
  EXPECT_TRUE(wake_ups.within(0).empty());
  send(to_b(7000), 1);
  EXPECT_EQ(wake_ups.within(kLong), std::vector{ring.fd});
  send(to_b(7000), 10);
  EXPECT_TRUE(wake_ups.within(0).empty()) << "there is something to read already";
  EXPECT_EQ(events_once(11), 11U);
  EXPECT_TRUE(wake_ups.within(0).empty());
  send(to_b(7000), 1);
  EXPECT_EQ(wake_ups.within(kLong), std::vector{ring.fd});

  // 8 KiB are 146 records of 56 bytes: one of these crosses the first eighth.
  send(to_b(7000), 300);
  EXPECT_EQ(wake_ups.within(kLong), std::vector{ring.fd});
}

TEST_F(PacketEventsTest, AndSpilledFlowsAndInterfacesWakeTheReaderAsWell) {
  constexpr int kLong = 20'000;
  const TwoHosts net;
  Watcher watcher(net.b.ns, {.interfaces = {"eth0"}, .max_flows = 1});
  const auto waits = watcher.source().wait_fds();
  ASSERT_GE(waits.size(), 3U);
  net.up();
  watcher.read();
  const WakeUps wake_ups(watcher.source());
  wake_ups.within(0);
  watcher.read();

  for (const std::uint16_t port : {7001, 7002}) {
    const Ends ends = {net.a.v4(), 5000, net.b.v4(), port};
    UdpSink sink(net.b.ns, ends.dst, ends.dst_port);
    UdpSender(net.a.ns, ends).send(1, 10);
    EXPECT_EQ(sink.receive(1), 1U);
  }
  EXPECT_EQ(wake_ups.within(kLong), std::vector{waits[1].fd});
  net.b.ns.sh("ip link add new type veth peer name other");
  // MLD may spill as well.
  EXPECT_TRUE(
      eventually([&] { return std::ranges::count(wake_ups.within(kLong), waits[2].fd) > 0; }));
  EXPECT_FALSE(waits[2].may_wait);
}

}  // namespace
}  // namespace orb8::netns
