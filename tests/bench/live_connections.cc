// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/live_connections.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tests/bench/loopback.h"

namespace orb8::bench {
namespace {

constexpr std::size_t kMostInOne = 40'000;  // clients for one address: less than ephemeral ports
constexpr std::size_t kOtherFiles = 1'000;

std::size_t sockets_of_a_process() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const auto most = std::min<std::size_t>(limit.rlim_cur, kMostInOne + kOtherFiles);
  return most > 2 * kOtherFiles ? most - kOtherFiles : kOtherFiles;
}

// From 127.0.0.1, 127.0.0.2, ...: each has all ports for itself.
Result<void> open_all(std::size_t number, std::vector<Connection>& connections) {
  const auto listener = listen_at(INADDR_LOOPBACK + static_cast<std::uint32_t>(number));
  if (!listener) return std::unexpected(listener.error());
  for (auto& connection : connections) {
    auto opened = connect_to(*listener);
    if (!opened) return std::unexpected(opened.error());
    connection = std::move(*opened);
  }
  return {};
}

Result<void> converse_on_all(const std::vector<Connection>& connections) {
  for (const auto& connection : connections) {
    if (auto ok = converse(connection); !ok) return ok;
  }
  return {};
}

// What a holder says when it has done what it was told to; all else is what went wrong.
constexpr std::string_view kDone = "y";

// A holder's life: it opens, says so, and moves all whenever it is told to.
[[noreturn]] void hold(std::size_t number, std::size_t sockets, int talk) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<Connection> connections(sockets / 2);
  auto ok = open_all(number, connections);
  for (char byte = 0; ok; ok = converse_on_all(connections)) {
    if (::send(talk, kDone.data(), kDone.size(), MSG_NOSIGNAL) < 0) break;
    if (::recv(talk, &byte, 1, 0) != 1) break;
  }
  if (!ok) ::send(talk, ok.error().what.data(), ok.error().what.size(), MSG_NOSIGNAL);
  ::_exit(ok ? 0 : 1);
}

Result<void> wait_until_done(int talk) {
  std::array<char, 256> said = {};
  const auto size = ::recv(talk, said.data(), said.size(), 0);
  if (size < 0) return sys_error(errno, "hear from a process that holds connections");
  const std::string_view words(said.data(), static_cast<std::size_t>(size));
  if (words == kDone) return {};
  return fail(Errc::kInternal,
              words.empty() ? "a process that holds connections has ended" : std::string(words));
}

}  // namespace

Result<LiveConnections::Holder> LiveConnections::start(std::size_t number, std::size_t sockets) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
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
    auto ok = wait_until_done(holder.talk.get());
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
    auto ok = wait_until_done(holder.talk.get());
    if (!ok) return ok;
  }
  return {};
}

}  // namespace orb8::bench
