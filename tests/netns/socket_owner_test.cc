// Whose a socket is: two processes of one network namespace, told apart by their cgroups; sockets
// that change hands.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/netns/cgroup.h"
#include "tests/netns/child.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

const Addr kLoopback = Addr::v4(127, 0, 0, 1);

// A way for a socket from one process to another.
class Passage {
 public:
  Passage() {
    int ends[2] = {};
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    in_ = UniqueFd(ends[0]);
    out_ = UniqueFd(ends[1]);
  }
  void hand_over(const UniqueFd& socket) {
    const int fd = socket.get();
    Letter letter;
    auto& part = letter.part();
    part.cmsg_level = SOL_SOCKET;
    part.cmsg_type = SCM_RIGHTS;
    part.cmsg_len = CMSG_LEN(sizeof(fd));
    std::memcpy(CMSG_DATA(&part), &fd, sizeof(fd));
    must(::sendmsg(in_.get(), &letter.header, 0), "hand a socket over");
  }
  UniqueFd receive() {
    Letter letter;
    must(::recvmsg(out_.get(), &letter.header, MSG_CMSG_CLOEXEC), "receive a socket");
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(&letter.part()), sizeof(fd));
    return UniqueFd(fd);
  }

 private:
  struct Letter {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> rights = {};
    char byte = 'x';
    iovec bytes{.iov_base = &byte, .iov_len = 1};
    msghdr header = {};
    Letter() {
      header.msg_iov = &bytes;
      header.msg_iovlen = 1;
      header.msg_control = rights.data();
      header.msg_controllen = rights.size();
    }
    Letter(const Letter&) = delete;
    Letter& operator=(const Letter&) = delete;
    ~Letter() = default;
    cmsghdr& part() {
      auto* first = CMSG_FIRSTHDR(&header);
      if (first == nullptr) throw std::runtime_error("no socket was handed over");
      return *first;
    }
  };
  UniqueFd in_;
  UniqueFd out_;
};

// One that talks to a server from a port of its own, which nobody else gets meanwhile.
struct HostPod {
  HostPod(const NetNs& ns, const std::string& name, std::uint16_t server_port, std::size_t size)
      : cgroup(name),
        held(bound_socket(ns, SOCK_STREAM, 0, kLoopback, 0)),
        ends{kLoopback, local_port(held.get()), kLoopback, server_port},
        bytes(size) {}

  Cgroup cgroup;
  UniqueFd held;
  Ends ends;
  std::size_t bytes;
};

// In the namespace that this process was started in, among all that others do there: so no port is
// taken for granted.
TEST_F(SocketSourceTest, TellsTwoPodsOfTheHostsNetworkApartByTheirCgroups) {
  SocketWatcher watcher;
  const auto ns = NetNs::here();
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, 0);
  must(::listen(listener.get(), 8), "listen");
  const auto server_port = local_port(listener.get());
  UdpSink sink(ns, kLoopback, server_port);
  const HostPod first(ns, "orb8-test-first", server_port, 111);
  const HostPod second(ns, "orb8-test-second", server_port, 222);
  const auto talk = [&ns](const HostPod& pod) {
    return [&ns, &pod] {
      pod.cgroup.enter();
      const auto tcp = bound_socket(ns, SOCK_STREAM, 0, pod.ends.src, pod.ends.src_port);
      connect_to(tcp.get(), pod.ends.dst, pod.ends.dst_port);
      const std::string payload(pod.bytes, 'x');
      must(::send(tcp.get(), payload.data(), pod.bytes, 0), "send");
      UdpSender(ns, pod.ends).send(1, pod.bytes);
    };
  };
  const Child first_process(talk(first));
  const Child second_process(talk(second));

  const auto expect_own = [&](const HostPod& pod, const Child& process) {
    for (const auto protocol : {kTcp, kUdp}) {
      SCOPED_TRACE(protocol_name(protocol) + " of " + std::to_string(pod.bytes) + " bytes");
      const auto sent =
          watcher.flow(ns, pod.ends, protocol, Direction::kEgress, payload_of(pod.bytes));
      EXPECT_EQ(sent.payload_bytes, pod.bytes);
      EXPECT_EQ(sent.owners->local->cgroup_id, pod.cgroup.id());
      EXPECT_EQ(sent.owners->local->pid, process.pid());
    }
  };
  expect_own(first, first_process);
  expect_own(second, second_process);
}

// As a node has them: a network namespace and a cgroup each, and a bridge between.
TEST_F(SocketSourceTest, GivesEachOfTwoPodsOnABridgeItsOwnSideOfTheirConnection) {
  SocketWatcher watcher;
  const BridgedHosts net;
  net.up(true);
  const auto& client_host = net.hosts[0];
  const auto& server_host = net.hosts[1];
  const Cgroup client_cgroup("orb8-test-client");
  const Cgroup server_cgroup("orb8-test-server");
  UniqueFd listener;
  UniqueFd client;
  const Child server([&] {
    server_cgroup.enter();
    listener = bound_socket(server_host.ns, SOCK_STREAM, 0, server_host.v4(), kPort);
    must(::listen(listener.get(), 1), "listen");
  });
  const Child caller([&] {
    client_cgroup.enter();
    client = bound_socket(client_host.ns, SOCK_STREAM, 0, client_host.v4(), 5001);
    connect_to(client.get(), server_host.v4(), kPort);
    const std::string payload(4000, 'x');
    must(::send(client.get(), payload.data(), payload.size(), 0), "send");
  });
  const Ends ends{client_host.v4(), 5001, server_host.v4(), kPort};
  const auto sent = watcher.flow(client_host.ns, ends, kTcp, Direction::kEgress, payload_of(4000));
  EXPECT_EQ(sent.payload_bytes, 4000U);
  EXPECT_EQ(sent.owners->local->cgroup_id, client_cgroup.id());
  EXPECT_EQ(sent.owners->local->pid, caller.pid());
  EXPECT_EQ(sent.socket.role, Role::kClient);
  const auto received =
      watcher.flow(server_host.ns, ends, kTcp, Direction::kIngress, payload_of(4000));
  EXPECT_EQ(received.payload_bytes, 4000U);
  EXPECT_EQ(received.owners->local->cgroup_id, server_cgroup.id());
  EXPECT_EQ(received.owners->local->pid, server.pid());
  EXPECT_EQ(received.socket.role, Role::kServer);
}

TEST_F(SocketSourceTest, NamesTheProcessAndNotTheThread) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort);
  must(::listen(listener.get(), 8), "listen");
  UniqueFd fd;
  std::thread([&] {
    ::prctl(PR_SET_NAME, "some-thread");
    fd = bound_socket(ns, SOCK_STREAM, 0, kLoopback, 5001);
    connect_to(fd.get(), kLoopback, kPort);
    must(::send(fd.get(), "hello", 5, 0), "send");
  }).join();
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  const auto sent = watcher.flow(ns, ends, kTcp, Direction::kEgress, payload_of(5));
  EXPECT_EQ(sent.owners->local->comm, "netns_socket_ow");
}

TEST_F(SocketSourceTest, FindsTheProcessThatAccepted) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort);
  must(::listen(listener.get(), 8), "listen");
  const auto client = bound_socket(ns, SOCK_STREAM, 0, kLoopback, 5001);
  connect_to(client.get(), kLoopback, kPort);
  UniqueFd accepted;
  const Child worker([&] {  // as a server that forks: another one accepts
    accepted = UniqueFd(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  });
  must(::send(client.get(), "hello", 5, 0), "send");
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  const auto by_worker = [&](const Flow& flow) { return flow.owners->local->pid == worker.pid(); };
  const auto received = watcher.flow(ns, ends, kTcp, Direction::kIngress, by_worker);
  EXPECT_EQ(received.owners->local->pid, worker.pid());
  EXPECT_EQ(received.payload_bytes, 5U);
}

// What it sends is in its flow, whoever sends it; whose it is was known for sure.
TEST_F(SocketSourceTest, LeavesASocketThatIsHandedOverWithTheProcessThatOpenedIt) {
  SocketWatcher watcher;
  const NetNs ns;
  const auto listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort);
  must(::listen(listener.get(), 8), "listen");
  const Cgroup openers("orb8-test-opener");
  const Cgroup users("orb8-test-user");
  Passage passage;
  UniqueFd socket;  // there, and never here
  Child opener([&] {
    openers.enter();
    socket = bound_socket(ns, SOCK_STREAM, 0, kLoopback, 5001);
    connect_to(socket.get(), kLoopback, kPort);
    must(::send(socket.get(), "mine", 4, 0), "send");
    passage.hand_over(socket);
  });
  const auto opener_pid = opener.pid();
  opener.kill();  // the socket lives on
  const Child user([&] {
    users.enter();
    socket = passage.receive();
    must(::send(socket.get(), "theirs", 6, 0), "send");
  });
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  const auto sent = watcher.flow(ns, ends, kTcp, Direction::kEgress, payload_of(10));
  EXPECT_EQ(sent.payload_bytes, 10U);
  EXPECT_EQ(sent.owners->local->pid, opener_pid);
  EXPECT_EQ(sent.owners->local->cgroup_id, openers.id());
  EXPECT_EQ(sent.life, FlowLife::kOpen);
}

// As a server whose parent accepts and whose children work.
TEST_F(SocketSourceTest, FindsTheProcessThatAnAcceptedSocketWasHandedTo) {
  SocketWatcher watcher;
  const NetNs ns;
  Passage passage;
  UniqueFd listener;  // each in its process, and never here
  UniqueFd accepted;
  UniqueFd client;
  const auto parent = std::make_unique<Child>([&] {
    listener = bound_socket(ns, SOCK_STREAM, 0, kLoopback, kPort);
    must(::listen(listener.get(), 8), "listen");
    client = bound_socket(ns, SOCK_STREAM, 0, kLoopback, 5001);
    connect_to(client.get(), kLoopback, kPort);
    must(::send(client.get(), "hello", 5, 0), "send");
    accepted = UniqueFd(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    passage.hand_over(accepted);
    accepted = UniqueFd();
  });
  const Child worker([&] { accepted = passage.receive(); });
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  const auto by_worker = [&](const Flow& flow) { return flow.owners->local->pid == worker.pid(); };
  const auto received = watcher.flow(ns, ends, kTcp, Direction::kIngress, by_worker);
  EXPECT_EQ(received.owners->local->pid, worker.pid());
  EXPECT_EQ(received.payload_bytes, 5U);
}

TEST_F(SocketSourceTest, FindsTheProcessOfASocketThatOnlyReceives) {
  SocketWatcher watcher;
  const NetNs ns;
  UdpSink sink(ns, kLoopback, kPort);
  const Ends ends{kLoopback, 5001, kLoopback, kPort};
  UdpSender(ns, ends).send(3, 10);
  ASSERT_EQ(sink.receive(3), 3U);
  const auto received = watcher.flow(ns, ends, kUdp, Direction::kIngress,
                                     [](const Flow& flow) { return flow.owners->local->pid != 0; });
  EXPECT_EQ(received.owners->local->pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(received.packets, 3U);
}

}  // namespace
}  // namespace orb8::netns
