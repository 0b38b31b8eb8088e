// Connections over loopback that end as they are told to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/unique_fd.h"

namespace orb8::integration {

// A port of loopback, and connections to it from this process.
class LoopbackTcp {
 public:
  LoopbackTcp() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!listener_ || ::bind(listener_.get(), address(), sizeof(address_)) != 0 ||
        ::listen(listener_.get(), SOMAXCONN) != 0) {
      give_up("listen on loopback");
    }
    socklen_t size = sizeof(address_);
    ::getsockname(listener_.get(), address(), &size);
  }

  // Both ends see the other's end in order.
  void converse(std::size_t bytes) {
    auto [client, server] = connect();
    const std::string data(bytes, 'x');
    if (::send(client.get(), data.data(), data.size(), 0) != static_cast<ssize_t>(bytes)) {
      give_up("send");
    }
    ::shutdown(client.get(), SHUT_WR);
    read_to_end(server);
    ::shutdown(server.get(), SHUT_WR);
    read_to_end(client);
  }

  // The client goes without a word: the server is reset.
  void reset() {
    auto [client, server] = connect();
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    client = UniqueFd();
    char byte = 0;
    if (::recv(server.get(), &byte, 1, 0) != -1 || errno != ECONNRESET) give_up("be reset");
  }

  // Nobody listens there any more.
  void close() { listener_ = UniqueFd(); }
  void be_refused() {
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(client.get(), address(), sizeof(address_)) == 0 || errno != ECONNREFUSED) {
      give_up("be refused");
    }
  }

 private:
  [[noreturn]] static void give_up(const char* doing) {
    throw std::system_error(errno, std::generic_category(), doing);
  }

  sockaddr* address() { return reinterpret_cast<sockaddr*>(&address_); }

  std::pair<UniqueFd, UniqueFd> connect() {
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(client.get(), address(), sizeof(address_)) != 0) give_up("connect");
    UniqueFd server(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!server) give_up("accept");
    return {std::move(client), std::move(server)};
  }

  static void read_to_end(const UniqueFd& from) {
    std::array<char, 4096> buffer = {};
    ssize_t got = 1;
    while (got > 0) got = ::recv(from.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) give_up("receive");
  }

  UniqueFd listener_;
  sockaddr_in address_ = {};
};

}  // namespace orb8::integration
