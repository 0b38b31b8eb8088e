// The kernel's connection tracking followed live: connections to an address that iptables rewrites
// as kube-proxy does.
// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/conntrack.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/need.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/sockets.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {
namespace {

using ::testing::HasSubstr;

constexpr std::uint16_t kServicePort = 80;
const Addr kVip = Addr::v4(10, 96, 0, 10);

class ConntrackTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ORB8_NEED(::access("/usr/sbin/iptables", X_OK) == 0, "iptables is needed");
    net_ = std::make_unique<TwoHosts>();
    net_->up(true);
    client().sh(fmt::format(
        "ip route add 10.96.0.0/16 dev eth0;"
        "iptables -w -t nat -A OUTPUT -d {} -p udp --dport {} -j DNAT --to-destination {}:{}",
        to_string(kVip), kServicePort, to_string(net_->b.v4()), kPort));
    sink_ = std::make_unique<UdpSink>(net_->b.ns, net_->b.v4(), kPort);
  }

  const NetNs& client() const { return net_->a.ns; }
  Backend server() const { return {net_->b.v4(), kPort}; }
  Ends to_service(std::uint16_t port) const { return {net_->a.v4(), port, kVip, kServicePort}; }
  static FlowKey key(const Ends& ends) { return ends.flow(kUdp, Direction::kEgress); }

  std::unique_ptr<Conntrack> open(std::size_t max_entries = 100'000) const {
    const auto there = client().enter();
    auto opened = Conntrack::open(now_ns_, max_entries);
    if (!opened) throw std::runtime_error(opened.error().what);
    return std::move(*opened);
  }
  // One connection, as the kernel sees it: a datagram that arrived.
  void talk(std::uint16_t port) const {
    UdpSender(client(), to_service(port)).send(1, 10);
    ++sent_;
    if (sink_->receive(sent_) != sent_) throw std::runtime_error("nothing came to the server");
  }
  // Each socket is another connection.
  void talk_from(std::uint16_t first, std::uint16_t count) const {
    for (std::uint16_t i = 0; i < count; ++i) talk(static_cast<std::uint16_t>(first + i));
  }
  // As conntrack -F does.
  void end_all() const {
    const auto there = client().enter();
    const UniqueFd socket(must(::socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), "socket"));
    struct {
      nlmsghdr header;
      nfgenmsg payload;
    } flush = {};
    flush.header = {.nlmsg_len = sizeof(flush),
                    .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_DELETE,
                    .nlmsg_flags = NLM_F_REQUEST};
    must(::send(socket.get(), &flush, sizeof(flush), 0), "end all connections");
  }

  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<UdpSink> sink_;
  mutable std::size_t sent_ = 0;
  std::int64_t now_ns_ = 0;  // of the clock that a Conntrack goes by
};

// Makes the buffers of this process's netlink sockets that hear of connections as small as can be.
int shrink_notice_buffers() {
  int found = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    int protocol = 0;
    socklen_t size = sizeof(protocol);
    if (::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0) continue;
    sockaddr_nl addr = {};
    size = sizeof(addr);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&addr), &size) != 0) continue;
    if (addr.nl_family != AF_NETLINK || protocol != NETLINK_NETFILTER) continue;
    if (addr.nl_groups == 0) continue;
    set_option(fd, SOL_SOCKET, SO_RCVBUF, 1);
    ++found;
  }
  return found;
}

TEST_F(ConntrackTest, KnowsWhatWasThereBeforeIt) {
  talk(5000);
  const auto conntrack = open();
  const auto* backend = conntrack->backend_of(key(to_service(5000)));
  ASSERT_NE(backend, nullptr);
  EXPECT_EQ(*backend, server());
  EXPECT_EQ(conntrack->backend_of(key(to_service(5001))), nullptr);
}

TEST_F(ConntrackTest, HearsOfAConnectionAndOfItsEnd) {
  const auto conntrack = open();
  EXPECT_EQ(conntrack->size(), 0U);
  const auto version = conntrack->version();
  talk(5000);
  const auto backend = [&] {
    conntrack->refresh(now_ns_);
    return conntrack->backend_of(key(to_service(5000)));
  };
  ASSERT_TRUE(eventually([&] { return backend() != nullptr; }));
  EXPECT_EQ(*backend(), server());
  EXPECT_GT(conntrack->version(), version);
  end_all();
  EXPECT_TRUE(eventually([&] { return backend() == nullptr; }));
  EXPECT_EQ(conntrack->size(), 0U);
  EXPECT_EQ(conntrack->reread(), 0U) << "notices alone told it";
}

TEST_F(ConntrackTest, ReadsAllAnewWhereNoticesWereLost) {
  const auto conntrack = open();
  ASSERT_EQ(shrink_notice_buffers(), 1);
  talk_from(5000, 50);
  EXPECT_TRUE(eventually([&] {
    conntrack->refresh(now_ns_);
    return conntrack->size() == 50;
  }));
  EXPECT_GT(conntrack->reread(), 0U);
  end_all();
  EXPECT_TRUE(eventually([&] {
    conntrack->refresh(now_ns_);
    return conntrack->size() == 0;
  }));
}

// Since Linux 5.19 the end of a connection is not told that began while nobody listened.
TEST_F(ConntrackTest, ForgetsWhatEndedWithoutANotice) {
  talk_from(5000, 3);
  const auto conntrack = open();
  ASSERT_EQ(conntrack->size(), 3U);
  end_all();
  talk(5010);
  now_ns_ += Conntrack::kReadAgainNs;
  EXPECT_TRUE(eventually([&] {
    conntrack->refresh(now_ns_);
    return conntrack->size() == 1;
  }));
  EXPECT_NE(conntrack->backend_of(key(to_service(5010))), nullptr);
}

TEST_F(ConntrackTest, HasRoomAgainForWhatItRefusedOnceItHasForgottenTheOthers) {
  talk_from(5000, 3);
  const auto conntrack = open(3);
  end_all();
  talk(5010);
  conntrack->refresh(now_ns_);
  now_ns_ += Conntrack::kReadAgainNs;
  EXPECT_TRUE(eventually([&] {
    conntrack->refresh(now_ns_);
    return conntrack->backend_of(key(to_service(5010))) != nullptr;
  }));
  EXPECT_EQ(conntrack->size(), 1U);
  EXPECT_EQ(conntrack->refused(), 0U);
  EXPECT_EQ(conntrack->component().reason, "");
}

// There are more connections than one message of a dump tells of.
TEST_F(ConntrackTest, LosesNothingThatBeginsWhileItReadsAgain) {
  constexpr std::uint16_t kBefore = 300;
  constexpr std::uint16_t kMeanwhile = 300;
  talk_from(5000, kBefore);
  const auto conntrack = open();
  ASSERT_EQ(conntrack->size(), kBefore);
  const auto version = conntrack->version();
  std::atomic<bool> done = false;
  std::jthread others([&] {
    talk_from(6000, kMeanwhile);
    done = true;
  });
  while (!done) {
    now_ns_ += Conntrack::kReadAgainNs;
    conntrack->refresh(now_ns_);
  }
  others.join();
  conntrack->refresh(now_ns_);
  for (std::uint16_t i = 0; i < kMeanwhile; ++i) {
    const auto port = static_cast<std::uint16_t>(6000 + i);
    EXPECT_NE(conntrack->backend_of(key(to_service(port))), nullptr) << port;
  }
  EXPECT_EQ(conntrack->size(), kBefore + kMeanwhile);
  EXPECT_EQ(conntrack->reread(), 0U) << "no notice was lost";
  EXPECT_LE(conntrack->version(), version + std::uint64_t{2} * kMeanwhile)
      << "what it knew is no news";
}

TEST_F(ConntrackTest, ReadsAgainAndSaysSoWhereTheKernelTellsOfNothing) {
  client().sh("sysctl -qw net.netfilter.nf_conntrack_events=0");
  const auto conntrack = open();
  EXPECT_THAT(conntrack->component().reason, HasSubstr("nf_conntrack_events"));
  talk(5000);
  conntrack->refresh(now_ns_);
  EXPECT_EQ(conntrack->size(), 0U);
  now_ns_ += Conntrack::kReadAgainNs;
  conntrack->refresh(now_ns_);
  EXPECT_NE(conntrack->backend_of(key(to_service(5000))), nullptr);
  client().sh("sysctl -qw net.netfilter.nf_conntrack_events=1");
  end_all();
  now_ns_ += Conntrack::kReadAgainNs;
  conntrack->refresh(now_ns_);
  EXPECT_EQ(conntrack->size(), 0U);
  EXPECT_EQ(conntrack->component().reason, "");
}

TEST_F(ConntrackTest, KeepsNoMoreThanItHasRoomFor) {
  const auto conntrack = open(3);
  talk_from(5000, 5);
  EXPECT_TRUE(eventually([&] {
    conntrack->refresh(now_ns_);
    return conntrack->refused() == 2;
  }));
  EXPECT_EQ(conntrack->size(), 3U);
  EXPECT_NE(conntrack->component().reason, "");
}

}  // namespace
}  // namespace orb8::netns
