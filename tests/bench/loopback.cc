// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/loopback.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace orb8::bench {

sockaddr_in socket_address(std::uint32_t ip, std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip);
  address.sin_port = htons(port);
  return address;
}

Result<Listener> listen_at(std::uint32_t ip) {
  Listener listener{.fd = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                    .at = socket_address(ip, 0)};
  socklen_t size = sizeof(listener.at);
  auto* address = reinterpret_cast<sockaddr*>(&listener.at);
  const int fd = listener.fd.get();
  if (fd < 0 || ::bind(fd, address, size) != 0 || ::listen(fd, SOMAXCONN) != 0 ||
      ::getsockname(fd, address, &size) != 0) {
    return sys_error(errno, "listen on loopback");
  }
  return listener;
}

Result<Connection> connect_to(const Listener& listener) {
  Connection connection;
  connection.client = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* to = reinterpret_cast<const sockaddr*>(&listener.at);
  if (!connection.client || ::connect(connection.client.get(), to, sizeof(listener.at)) != 0) {
    return sys_error(errno, "connect over loopback");
  }
  connection.server = UniqueFd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.server) return sys_error(errno, "accept over loopback");
  return connection;
}

Result<void> converse(const Connection& connection) {
  const int client = connection.client.get();
  const int server = connection.server.get();
  char byte = 'x';
  for (const auto& [from, to] : {std::pair(client, server), std::pair(server, client)}) {
    if (::send(from, &byte, 1, MSG_NOSIGNAL) != 1 || ::recv(to, &byte, 1, 0) != 1) {
      return sys_error(errno, "converse over loopback");
    }
  }
  return {};
}

}  // namespace orb8::bench
