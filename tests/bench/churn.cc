// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/churn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>

namespace orb8::bench {
namespace {

// Each has all ephemeral ports for itself, so that the search for a free one stays short.
constexpr std::uint32_t kServers = 64;
constexpr auto kTimeWaits = "/proc/sys/net/ipv4/tcp_max_tw_buckets";

sockaddr_in socket_address(std::uint32_t ip, std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip);
  address.sin_port = htons(port);
  return address;
}

Result<void> converse(int client, int server) {
  char byte = 'x';
  for (const auto& [from, to] : {std::pair(client, server), std::pair(server, client)}) {
    if (::send(from, &byte, 1, MSG_NOSIGNAL) != 1 || ::recv(to, &byte, 1, 0) != 1) {
      return sys_error(errno, "converse over loopback");
    }
  }
  return {};
}

}  // namespace

Result<Churn> Churn::open() {
  std::ofstream(kTimeWaits) << 1000 << std::flush;
  Churn churn;
  for (std::uint32_t i = 0; i < kServers; ++i) {
    Server server;
    server.ip = INADDR_LOOPBACK + i;
    server.listener = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto at = socket_address(server.ip, 0);
    socklen_t size = sizeof(at);
    auto* address = reinterpret_cast<sockaddr*>(&at);
    const int fd = server.listener.get();
    if (fd < 0 || ::bind(fd, address, size) != 0 || ::listen(fd, SOMAXCONN) != 0 ||
        ::getsockname(fd, address, &size) != 0) {
      return sys_error(errno, "listen on loopback");
    }
    server.port = ntohs(at.sin_port);
    churn.servers_.push_back(std::move(server));
  }
  return churn;
}

Result<std::uint64_t> Churn::run(std::chrono::steady_clock::duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  std::uint64_t done = 0;
  for (; std::chrono::steady_clock::now() < end; ++done) {
    const auto& server = servers_[next_++ % servers_.size()];
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto at = socket_address(server.ip, server.port);
    if (!client ||
        ::connect(client.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) {
      return sys_error(errno, "connect over loopback");
    }
    const UniqueFd accepted(::accept4(server.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted) return sys_error(errno, "accept over loopback");
    if (auto ok = converse(client.get(), accepted.get()); !ok) return std::unexpected(ok.error());
  }
  return done;
}

}  // namespace orb8::bench
