// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/faulty_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <system_error>
#include <vector>

namespace orb8::integration {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  return {.sin_family = AF_INET,
          .sin_port = htons(port),
          .sin_addr = {htonl(INADDR_LOOPBACK)},
          .sin_zero = {}};
}

UniqueFd tcp_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (fd) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

bool send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const auto sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool can_read(const pollfd& fd) {
  return (fd.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

}  // namespace

FaultyProxy::FaultyProxy(std::uint16_t server_port)
    : listener_(tcp_socket()), wake_(::eventfd(0, EFD_CLOEXEC)), server_port_(server_port) {
  auto address = loopback(0);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (!listener_ || !wake_ || ::bind(listener_.get(), any, size) != 0 ||
      ::listen(listener_.get(), SOMAXCONN) != 0 ||
      ::getsockname(listener_.get(), any, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "open the faulty proxy");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

FaultyProxy::~FaultyProxy() {
  stop_ = true;
  wake();
  thread_.join();
}

void FaultyProxy::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one));
}

void FaultyProxy::set(const Faults& faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
  for (auto& link : links_) link.bytes = 0;
  if (faults.closed) links_.clear();
  wake();
}

void FaultyProxy::run() {
  while (!stop_) {
    std::vector<pollfd> fds = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                               {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
    {
      const std::lock_guard lock(mutex_);
      for (const auto& link : links_) {
        fds.push_back({.fd = link.client.get(), .events = POLLIN, .revents = 0});
        const int server = faults_.stalled ? -1 : link.server.get();  // poll() skips -1
        fds.push_back({.fd = server, .events = POLLIN, .revents = 0});
      }
    }
    ::poll(fds.data(), fds.size(), -1);
    if (can_read(fds[0])) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto taken = ::read(wake_.get(), &ignored, sizeof(ignored));
      continue;  // the links may be others now
    }
    const std::lock_guard lock(mutex_);
    auto fd = fds.begin() + 2;
    for (auto link = links_.begin(); link != links_.end() && fd != fds.end(); fd += 2) {
      const auto& [client, server] = std::pair(*fd, *std::next(fd));
      const bool alive = client.fd == link->client.get() &&
                         (!can_read(client) || pass(*link, false)) &&
                         (!can_read(server) || pass(*link, true));
      link = alive ? std::next(link) : links_.erase(link);
    }
    if (can_read(fds[1])) accept_one();
  }
}

void FaultyProxy::accept_one() {
  Link link{.client = UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)),
            .server = tcp_socket()};
  ++accepted_;
  const auto address = loopback(server_port_);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  if (faults_.closed || ::connect(link.server.get(), any, sizeof(address)) != 0) return;
  links_.push_back(std::move(link));
}

// Whether the connection goes on.
bool FaultyProxy::pass(Link& link, bool from_server) {
  constexpr std::size_t kAtOnce = 16384;
  std::array<char, kAtOnce> data = {};
  const auto most = from_server && faults_.piece > 0 ? std::min(faults_.piece, kAtOnce) : kAtOnce;
  const int from = from_server ? link.server.get() : link.client.get();
  // poll() said that there is something. NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
  const auto got = ::recv(from, data.data(), most, 0);
  if (got <= 0) return false;
  const auto size = static_cast<std::size_t>(got);
  if (!from_server) return send_all(link.server.get(), data.data(), size);
  if (faults_.piece > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return deliver(link, data.data(), size);
}

bool FaultyProxy::deliver(Link& link, char* data, std::size_t size) const {
  constexpr unsigned char kFlipped = 0x5a;
  const auto before = link.bytes;
  link.bytes += size;
  const bool cut = faults_.cut_after > 0 && link.bytes >= faults_.cut_after;
  if (cut) size = faults_.cut_after - before;
  if (faults_.garble_after > 0) {
    for (std::size_t i = 0; i < size; ++i) {
      if (before + i >= faults_.garble_after) data[i] = static_cast<char>(data[i] ^ kFlipped);
    }
  }
  return send_all(link.client.get(), data, size) && !cut;
}

}  // namespace orb8::integration
