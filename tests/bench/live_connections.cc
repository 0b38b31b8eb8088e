// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/live_connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace orb8::bench {
namespace {

constexpr std::size_t kPerAddress = 20'000;  // fewer than there are ephemeral ports
constexpr std::size_t kOtherFiles = 1'000;

Result<void> allow_files(std::size_t files) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= files) return {};
  limit.rlim_cur = files;
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, files);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return sys_error(errno, "raise RLIMIT_NOFILE");
  return {};
}

// 127.0.0.1, 127.0.0.2, ...: each has all ports for itself.
Result<UniqueFd> listen_at(std::size_t number, sockaddr_in& at) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(number));
  socklen_t size = sizeof(at);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  if (!fd || ::bind(fd.get(), address, size) != 0 || ::listen(fd.get(), SOMAXCONN) != 0 ||
      ::getsockname(fd.get(), address, &size) != 0) {
    return sys_error(errno, "listen on loopback");
  }
  return fd;
}

Result<void> move_one(int from, int to) {
  char byte = 'x';
  if (::send(from, &byte, 1, MSG_NOSIGNAL) != 1) return sys_error(errno, "send a byte");
  if (::recv(to, &byte, 1, 0) != 1) return sys_error(errno, "receive a byte");
  return {};
}

}  // namespace

Result<LiveConnections> LiveConnections::open(std::size_t sockets) {
  if (auto ok = allow_files(sockets + kOtherFiles); !ok) return std::unexpected(ok.error());
  std::vector<Pair> pairs;
  UniqueFd listener;
  sockaddr_in at = {};
  for (std::size_t i = 0; i < sockets / 2; ++i) {
    if (i % kPerAddress == 0) {
      auto next = listen_at(i / kPerAddress, at);
      if (!next) return std::unexpected(next.error());
      listener = std::move(*next);
    }
    Pair pair{.client = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), .server = {}};
    if (!pair.client ||
        ::connect(pair.client.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) {
      return sys_error(errno, "connect over loopback");
    }
    pair.server = UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!pair.server) return sys_error(errno, "accept over loopback");
    pairs.push_back(std::move(pair));
  }
  return LiveConnections(std::move(pairs));
}

Result<void> LiveConnections::move_all() {
  for (const auto& pair : pairs_) {
    if (auto ok = move_one(pair.client.get(), pair.server.get()); !ok) return ok;
    if (auto ok = move_one(pair.server.get(), pair.client.get()); !ok) return ok;
  }
  return {};
}

}  // namespace orb8::bench
