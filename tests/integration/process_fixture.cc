// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/process_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "tests/netns/topology.h"

namespace orb8::integration {
namespace {

UniqueFd bound_to_loopback(int type) {
  UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const sockaddr_in any_port = {
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  if (!fd ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any_port), sizeof(any_port)) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind a socket to loopback");
  }
  return fd;
}

sockaddr_in address_of(const UniqueFd& fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "ask for a socket's port");
  }
  return address;
}

}  // namespace

std::uint16_t free_port() {
  return ntohs(address_of(bound_to_loopback(SOCK_STREAM)).sin_port);
}

void ProcessTest::SetUp() {
  NetnsTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  static const netns::NetNs network;
  static const auto visit = network.enter();
}

LoopbackUdp::LoopbackUdp() : fd_(bound_to_loopback(SOCK_DGRAM)) {
  const auto self = address_of(fd_);
  port_ = ntohs(self.sin_port);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&self), sizeof(self)) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect a socket to itself");
  }
}

void LoopbackUdp::send(std::size_t count, std::size_t payload) const {
  const std::vector<char> data(payload);
  for (std::size_t i = 0; i < count; ++i) {
    if (::send(fd_.get(), data.data(), data.size(), 0) < 0) {
      throw std::system_error(errno, std::generic_category(), "send a datagram");
    }
  }
}

SilentListener::SilentListener() : fd_(bound_to_loopback(SOCK_STREAM)) {
  // The kernel completes the handshakes of its backlog.
  if (::listen(fd_.get(), SOMAXCONN) != 0) {
    throw std::system_error(errno, std::generic_category(), "listen");
  }
}

std::string SilentListener::address() const {
  return "127.0.0.1:" + std::to_string(ntohs(address_of(fd_).sin_port));
}

}  // namespace orb8::integration
