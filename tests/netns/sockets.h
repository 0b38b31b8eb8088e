// Addresses as sockets take them, and sockets that throw instead of failing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "core/base/unique_fd.h"
#include "core/model/addr.h"
#include "tests/netns/topology.h"

namespace orb8::netns {

struct SocketAddress {
  SocketAddress(const Addr& addr, std::uint16_t port);
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage = {};
  socklen_t size = 0;
};

int family_of(const Addr& addr);

// A socket of this namespace, bound to the address.
UniqueFd bound_socket(const NetNs& ns, int type, int protocol, const Addr& addr,
                      std::uint16_t port);
void connect_to(int fd, const Addr& addr, std::uint16_t port);
void set_option(int fd, int level, int option, int value);
// It sends a reset then, and is gone at once.
void reset_when_closed(const UniqueFd& fd);
// As `ss -e` shows it.
std::uint64_t cookie_of(const UniqueFd& fd);
std::uint16_t local_port(int fd);
// So many at once; beyond the hard limit only with CAP_SYS_RESOURCE.
bool allow_files(std::uint64_t count);

[[noreturn]] void throw_errno(const char* doing);

// What a call returned, if it was a success.
template <class Number>
Number must(Number result, const char* doing) {
  if (result < 0) throw_errno(doing);
  return result;
}

}  // namespace orb8::netns
