// SPDX-License-Identifier: Apache-2.0
#include "agent/listen_address.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList look_up(const ListenAddress& address) {
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const auto port = std::to_string(address.port);
  if (::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &list) != 0) list = nullptr;
  return {list, &::freeaddrinfo};
}

// errno of listening there; 0: it works.
int try_to_listen(const addrinfo& at) {
  const UniqueFd socket(::socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC, at.ai_protocol));
  if (!socket) return errno;
  const int one = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (::bind(socket.get(), at.ai_addr, at.ai_addrlen) != 0) return errno;
  return ::listen(socket.get(), 1) == 0 ? 0 : errno;
}

std::string explain(int err) {
  switch (err) {
    case EADDRINUSE:
      return "the port is taken by another program";
    case EADDRNOTAVAIL:
      return "the address is not this machine's";
    case EACCES:
      return "a port below 1024 needs the capability NET_BIND_SERVICE";
    default:
      return std::generic_category().message(err);
  }
}

}  // namespace

ListenAddress::ListenAddress(std::string host_text, std::uint16_t port_number)
    : host(std::move(host_text)), port(port_number) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
}

std::string to_string(const ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Error listen_error(const std::string& server, const ListenAddress& address) {
  const auto list = look_up(address);
  int err = 0;
  for (const auto* at = list.get(); at != nullptr && err == 0; at = at->ai_next) {
    err = try_to_listen(*at);
  }
  const std::string flag = server == "gRPC" ? "--grpc" : "--health";
  const auto doing = fmt::format("listen on {} for {}", to_string(address), server);
  std::string what;
  if (!list) {
    what = fmt::format("{}: '{}' is no address; choose one with {}-address", doing, address.host,
                       flag);
  } else if (err == 0) {
    what = fmt::format("{}: it failed, and works by now; start again", doing);
  } else {
    what = fmt::format("{}: {}; choose another with {}-{}", doing, explain(err), flag,
                       err == EADDRNOTAVAIL ? "address" : "port");
  }
  return {.code = Errc::kUnavailable, .sys = err, .what = what};
}

}  // namespace orb8
