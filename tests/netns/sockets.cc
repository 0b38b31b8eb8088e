// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/sockets.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace orb8::netns {

void throw_errno(const char* doing) {
  const int err = errno;
  throw std::runtime_error(std::string(doing) + ": " + std::strerror(err));
}

int family_of(const Addr& addr) {
  return addr.is_v4() ? AF_INET : AF_INET6;
}

SocketAddress::SocketAddress(const Addr& addr, std::uint16_t port) {
  if (addr.is_v4()) {
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, &addr.bytes[12], sizeof(in.sin_addr));
    std::memcpy(&storage, &in, size = sizeof(in));
  } else {
    sockaddr_in6 in6 = {};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    std::memcpy(&in6.sin6_addr, addr.bytes.data(), sizeof(in6.sin6_addr));
    std::memcpy(&storage, &in6, size = sizeof(in6));
  }
}

UniqueFd bound_socket(const NetNs& ns, int type, int protocol, const Addr& addr,
                      std::uint16_t port) {
  const auto here = ns.enter();
  UniqueFd fd(must(::socket(family_of(addr), type | SOCK_CLOEXEC, protocol), "socket"));
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const SocketAddress at(addr, port);
  must(::bind(fd.get(), at.get(), at.size), "bind");
  return fd;
}

void connect_to(int fd, const Addr& addr, std::uint16_t port) {
  const SocketAddress to(addr, port);
  must(::connect(fd, to.get(), to.size), "connect");
}

void set_option(int fd, int level, int option, int value) {
  must(::setsockopt(fd, level, option, &value, sizeof(value)), "setsockopt");
}

void reset_when_closed(const UniqueFd& fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  must(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), "SO_LINGER");
}

std::uint64_t cookie_of(const UniqueFd& fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  must(::getsockopt(fd.get(), SOL_SOCKET, SO_COOKIE, &cookie, &size), "SO_COOKIE");
  return cookie;
}

std::uint16_t local_port(int fd) {
  sockaddr_in6 at = {};  // its port lies where sockaddr_in has it
  socklen_t size = sizeof(at);
  must(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
  return ntohs(at.sin6_port);
}

bool allow_files(std::uint64_t count) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, count);
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, count);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace orb8::netns
