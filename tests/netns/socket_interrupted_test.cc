// Connections that end by a timer, in the middle of others that a process opens and closes.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "tests/need.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr int kTcpClose = 7;  // <netinet/tcp.h> does not go together with the kernel's header

class SocketInterruptedTest : public SocketPairTest {};

INSTANTIATE_TEST_SUITE_P(BothFamilies, SocketInterruptedTest, testing::Values(AF_INET, AF_INET6),
                         family_name);

bool is_closed(const UniqueFd& fd) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  must(::getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
  return info.tcpi_state == kTcpClose;
}

// The calling thread, for as long as this lives.
class OnOneCpu {
 public:
  OnOneCpu() {
    must(::sched_getaffinity(0, sizeof(before_), &before_), "sched_getaffinity");
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    must(::sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
  }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;
  ~OnOneCpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }

 private:
  cpu_set_t before_;
};

// The kernel runs no program inside itself. A tick of the clock that comes while a process's own
// connection is looked at ends a handful of others on the same CPU.
TEST_P(SocketInterruptedTest, MissesNoEndThatComesInTheMiddleOfAnother) {
  constexpr std::size_t kTimedOut = 2000;
  constexpr int kRefusedEach = 10;
  constexpr std::size_t kReadEach = 100;  // so that the ring has room
  ORB8_NEED(allow_files(kTimedOut + 500), "too few open files are allowed (ulimit -Hn)");
  const Host ghost(77);  // a neighbour that does not exist: what is sent to it is lost
  a().knows(ghost);
  const SocketAddress nobody(ghost.addr(GetParam()), kPort);
  const SocketAddress closed_port(a_addr(), kPort);
  auto options = SocketWatcher::options();
  options.ring_bytes = 1U << 24;  // others on this machine close sockets as well
  SocketWatcher watcher(options);
  const OnOneCpu here;
  const auto refuse = [&] {
    for (int i = 0; i < kRefusedEach; ++i) {
      const auto fd = bound_socket(a().ns, SOCK_STREAM, 0, a_addr(), 0);
      EXPECT_EQ(::connect(fd.get(), closed_port.get(), closed_port.size), -1);
    }
  };
  std::vector<UniqueFd> waiting;
  for (std::size_t i = 0; i < kTimedOut; ++i) {
    waiting.push_back(bound_socket(a().ns, SOCK_STREAM | SOCK_NONBLOCK, 0, a_addr(), 0));
    set_option(waiting.back().get(), IPPROTO_TCP, TCP_USER_TIMEOUT, 300);
    EXPECT_EQ(::connect(waiting.back().get(), nobody.get(), nobody.size), -1);
    EXPECT_EQ(errno, EINPROGRESS);
    refuse();
    if (i % kReadEach == 0) watcher.read();
  }
  for (std::size_t i = 0; !is_closed(waiting.back()); ++i) {
    refuse();
    if (i % kReadEach == 0) watcher.read();
  }
  std::size_t ended = 0;
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    ended = watcher
                .flows([&](const Flow& flow) {
                  return flow.key.dst == ghost.addr(GetParam()) && flow.life == FlowLife::kClosed;
                })
                .size();
    return ended == kTimedOut;
  })) << ended;
  EXPECT_EQ(watcher.accounting().lost.packets, 0U);
}

}  // namespace
}  // namespace orb8::netns
