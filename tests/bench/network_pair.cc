// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/network_pair.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

namespace orb8::bench {
namespace {

// A namespace belongs to a thread, so each piece of work gets one of its own.
Result<void> on_new_thread(const std::function<Result<void>()>& work) {
  Result<void> result;
  std::thread([&] { result = work(); }).join();
  return result;
}

Result<void> enter(int ns_fd) {
  if (::setns(ns_fd, CLONE_NEWNET) != 0) return sys_error(errno, "enter a network namespace");
  return {};
}

Result<void> on_thread_in(int ns_fd, const std::function<Result<void>()>& work) {
  return on_new_thread([&]() -> Result<void> {
    if (auto ok = enter(ns_fd); !ok) return ok;
    return work();
  });
}

Result<UniqueFd> new_namespace() {
  UniqueFd fd;
  auto ok = on_new_thread([&]() -> Result<void> {
    if (::unshare(CLONE_NEWNET) != 0) return sys_error(errno, "make a network namespace");
    fd = UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd) return sys_error(errno, "open a new network namespace");
    return {};
  });
  if (!ok) return std::unexpected(ok.error());
  return fd;
}

// In the calling thread's namespace.
Result<void> shell(std::string script) {
  std::string name = "sh";
  std::string options = "-euc";
  char* const argv[] = {name.data(), options.data(), script.data(), nullptr};
  pid_t pid = 0;
  if (const int err = ::posix_spawnp(&pid, "sh", nullptr, nullptr, argv, environ); err != 0) {
    return sys_error(err, "start sh");
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) return fail(Errc::kInternal, "set up the namespaces: see above");
  return {};
}

// Without addresses of its own and with its neighbour written down, a host says nothing unasked.
constexpr auto kQuiet = "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up; ";
constexpr auto kMakeLink = "ip link add {} type veth peer name {} address {} netns /proc/{}/fd/{}";
constexpr auto kBringUp =
    "ip link set {0} up; ip address add 10.77.0.{1}/24 dev {0};"
    "ip neighbour replace 10.77.0.{2} lladdr 02:77:00:00:00:0{2} dev {0}";

Result<InterfaceCounters> read_counters(const std::string& interface) {
  std::ifstream file("/proc/thread-self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto name = line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' '));
    if (name != interface) continue;
    // bytes packets errs drop fifo frame compressed multicast, then the same for transmission
    std::uint64_t column[16] = {};
    std::istringstream columns(line.substr(colon + 1));
    for (auto& value : column) columns >> value;
    return InterfaceCounters{.rx_packets = column[1],
                             .rx_bytes = column[0],
                             .tx_packets = column[9],
                             .tx_dropped = column[11]};
  }
  return fail(Errc::kNotFound, interface + " is not in /proc/net/dev");
}

Result<InterfaceCounters> counters_in(int ns_fd, const std::string& interface) {
  InterfaceCounters counters;
  auto ok = on_thread_in(ns_fd, [&]() -> Result<void> {
    auto read = read_counters(interface);
    if (!read) return std::unexpected(read.error());
    counters = *read;
    return {};
  });
  if (!ok) return std::unexpected(ok.error());
  return counters;
}

}  // namespace

Result<NetworkPair> NetworkPair::make() {
  auto sender = new_namespace();
  if (!sender) return std::unexpected(sender.error());
  auto watched = new_namespace();
  if (!watched) return std::unexpected(watched.error());
  NetworkPair pair(std::move(*sender), std::move(*watched));

  auto ok = pair.at_sender([] { return shell(kQuiet); });
  if (!ok) return std::unexpected(ok.error());
  ok = on_thread_in(pair.watched_.get(), [&] {
    return shell(kQuiet +
                 fmt::format(kMakeLink, "orb8w address 02:77:00:00:00:02", kSender,
                             "02:77:00:00:00:01", ::getpid(), pair.sender_.get()) +
                 "; " + fmt::format(kBringUp, kWatched, 2, 1));
  });
  if (!ok) return std::unexpected(ok.error());
  ok = pair.at_sender([] { return shell(fmt::format(kBringUp, kSender, 1, 2)); });
  if (!ok) return std::unexpected(ok.error());
  return pair;
}

Result<void> NetworkPair::enter_watched() const {
  return enter(watched_.get());
}

Result<void> NetworkPair::at_sender(const std::function<Result<void>()>& work) const {
  return on_thread_in(sender_.get(), work);
}

Result<InterfaceCounters> NetworkPair::sender_counters() const {
  return counters_in(sender_.get(), kSender);
}

Result<InterfaceCounters> NetworkPair::watched_counters() const {
  return counters_in(watched_.get(), kWatched);
}

}  // namespace orb8::bench
