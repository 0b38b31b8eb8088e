// The kernel's connection tracking followed live: connections to an address that iptables rewrites
// as kube-proxy does.
// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/conntrack.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/need.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/sockets.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {
namespace {

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
    auto opened = Conntrack::open(max_entries);
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
    conntrack->refresh();
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
    conntrack->refresh();
    return conntrack->size() == 50;
  }));
  EXPECT_GT(conntrack->reread(), 0U);
  end_all();
  EXPECT_TRUE(eventually([&] {
    conntrack->refresh();
    return conntrack->size() == 0;
  }));
}

TEST_F(ConntrackTest, KeepsNoMoreThanItHasRoomFor) {
  const auto conntrack = open(3);
  talk_from(5000, 5);
  EXPECT_TRUE(eventually([&] {
    conntrack->refresh();
    return conntrack->refused() == 2;
  }));
  EXPECT_EQ(conntrack->size(), 3U);
  EXPECT_NE(conntrack->component().reason, "");
}

}  // namespace
}  // namespace orb8::netns
