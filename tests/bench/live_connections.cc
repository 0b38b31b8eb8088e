// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/live_connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>

namespace orb8::bench {
namespace {

constexpr std::size_t kMostInOne = 40'000;  // clients for one address: less than ephemeral ports
constexpr std::size_t kOtherFiles = 1'000;

struct Pair {
  UniqueFd client;
  UniqueFd server;
};

std::size_t sockets_of_a_process() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const auto most = std::min<std::size_t>(limit.rlim_cur, kMostInOne + kOtherFiles);
  return most > 2 * kOtherFiles ? most - kOtherFiles : kOtherFiles;
}

// 127.0.0.1, 127.0.0.2, ...: each has all ports for itself.
UniqueFd listen_at(std::size_t number, sockaddr_in& at) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(number));
  socklen_t size = sizeof(at);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  const bool ok = fd && ::bind(fd.get(), address, size) == 0 &&
                  ::listen(fd.get(), SOMAXCONN) == 0 &&
                  ::getsockname(fd.get(), address, &size) == 0;
  return ok ? std::move(fd) : UniqueFd();
}

bool open_pairs(std::size_t number, std::vector<Pair>& pairs) {
  sockaddr_in at = {};
  const auto listener = listen_at(number, at);
  if (!listener) return false;
  for (auto& pair : pairs) {
    pair.client = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!pair.client ||
        ::connect(pair.client.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) {
      return false;
    }
    pair.server = UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!pair.server) return false;
  }
  return true;
}

bool move_byte(int from, int to) {
  char byte = 'x';
  return ::send(from, &byte, 1, MSG_NOSIGNAL) == 1 && ::recv(to, &byte, 1, 0) == 1;
}

bool move_pairs(const std::vector<Pair>& pairs) {
  return std::ranges::all_of(pairs, [](const Pair& pair) {
    return move_byte(pair.client.get(), pair.server.get()) &&
           move_byte(pair.server.get(), pair.client.get());
  });
}

// A holder's life: it opens, says so, and moves all whenever it is told to.
[[noreturn]] void hold(std::size_t number, std::size_t sockets, int talk) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<Pair> pairs(sockets / 2);
  bool ok = open_pairs(number, pairs);
  for (char byte = 0; ok; ok = move_pairs(pairs)) {
    if (::send(talk, "y", 1, MSG_NOSIGNAL) != 1 || ::recv(talk, &byte, 1, 0) != 1) break;
  }
  const int err = ok ? 0 : errno;
  ::_exit(err);
}

Result<void> wait_until_done(int talk, pid_t pid, const std::string& what) {
  char byte = 0;
  if (::recv(talk, &byte, 1, 0) == 1) return {};
  int status = 0;
  ::waitpid(pid, &status, 0);
  return sys_error(WIFEXITED(status) ? WEXITSTATUS(status) : EINTR, what);
}

}  // namespace

Result<LiveConnections::Holder> LiveConnections::start(std::size_t number, std::size_t sockets) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return sys_error(errno, "make a socket pair");
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ours = UniqueFd();  // so that a holder learns when we are gone
    hold(number, sockets, theirs.get());
  }
  if (pid < 0) return sys_error(errno, "start a process that holds connections");
  return Holder{.pid = pid, .talk = std::move(ours)};
}

Result<LiveConnections> LiveConnections::open(std::size_t sockets) {
  LiveConnections all;
  const auto most = sockets_of_a_process();
  for (std::size_t done = 0; done < sockets;) {
    const auto now = std::min(most, sockets - done);
    auto holder = start(all.holders_.size(), now);
    if (!holder) return std::unexpected(holder.error());
    all.holders_.push_back(std::move(*holder));
    done += now;
  }
  for (const auto& holder : all.holders_) {
    auto ok = wait_until_done(holder.talk.get(), holder.pid, "open connections over loopback");
    if (!ok) return std::unexpected(ok.error());
  }
  return all;
}

LiveConnections::~LiveConnections() {
  for (const auto& holder : holders_) {
    ::kill(holder.pid, SIGKILL);
    ::waitpid(holder.pid, nullptr, 0);
  }
}

Result<void> LiveConnections::move_all() {
  for (const auto& holder : holders_) {
    if (::send(holder.talk.get(), "m", 1, MSG_NOSIGNAL) != 1) {
      return sys_error(errno, "have connections move");
    }
  }
  for (const auto& holder : holders_) {
    auto ok = wait_until_done(holder.talk.get(), holder.pid, "have connections move");
    if (!ok) return ok;
  }
  return {};
}

}  // namespace orb8::bench
