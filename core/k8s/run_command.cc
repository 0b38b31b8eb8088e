// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "core/base/unique_fd.h"

namespace orb8::k8s {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return sys_error(errno, "make a pipe");
  Pipe pipe{.read = UniqueFd(ends[0]), .write = UniqueFd(ends[1])};
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return sys_error(errno, "set up a pipe");
  return pipe;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// This process's variables, and the command's instead of those of the same name.
std::vector<std::string> environment_for(const Command& command) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto name = std::string_view(text).substr(0, text.find('='));
    const auto replaced = [&](const auto& pair) { return pair.first == name; };
    if (std::ranges::none_of(command.env, replaced)) all.push_back(text);
  }
  for (const auto& [name, value] : command.env)
    all.push_back(std::string(name).append("=").append(value));
  return all;
}

// A program that runs; killed with what it started, and reaped, when this goes.
class Child {
 public:
  static Result<Child> spawn(const Command& command, const Pipe& out, const Pipe& err) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
    // A group of its own, to be killed whole; and no signal blocked, as some are in our threads.
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    auto argv = command.argv;
    auto env = environment_for(command);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0].c_str(), &actions, &attributes,
                                     pointers_to(argv).data(), pointers_to(env).data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return sys_error(error, "run " + command.argv[0]);
    // By number: glibc has pidfd_open() from 2.36 on.
    return Child(pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
  }

  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), ended_(std::move(other.ended_)) {}
  Child& operator=(Child&& other) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    (void)reap();
  }

  int ended_fd() const { return ended_.get(); }

  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    constexpr int kSignalled = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  }

 private:
  Child(pid_t pid, UniqueFd ended) : pid_(pid), ended_(std::move(ended)) {}

  pid_t pid_;
  UniqueFd ended_;
};

// What is there now; nothing where the pipe is empty or has no writer left.
bool drain(const UniqueFd& pipe, std::string& to, std::size_t most) {
  std::array<char, 16384> buffer;
  for (;;) {
    const auto got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 && errno == EAGAIN;
    to.append(buffer.data(), std::min(static_cast<std::size_t>(got), most - to.size()));
  }
}

}  // namespace

Result<CommandOutput> run_command(const Command& command, const CommandLimits& limits) {
  auto out = make_pipe();
  if (!out) return std::unexpected(out.error());
  auto err = make_pipe();
  if (!err) return std::unexpected(err.error());
  auto child = Child::spawn(command, *out, *err);
  if (!child) return std::unexpected(child.error());
  if (child->ended_fd() < 0)
    return fail(Errc::kInternal, "watch " + command.argv[0] + ": no pidfd");
  out->write = UniqueFd();
  err->write = UniqueFd();

  CommandOutput output;
  // A negative descriptor is passed over by poll(): a stream that has ended.
  std::array<pollfd, 4> fds = {{{child->ended_fd(), POLLIN, 0},
                                {out->read.get(), POLLIN, 0},
                                {err->read.get(), POLLIN, 0},
                                {limits.cancel_fd, POLLIN, 0}}};
  const auto end = Clock::now() + limits.deadline;
  while (fds[0].revents == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return fail(Errc::kUnavailable, "run " + command.argv[0] + ": no end in time");
    if (::poll(fds.data(), fds.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return sys_error(errno, "wait for " + command.argv[0]);
    }
    if (fds[3].revents != 0) {
      return fail(Errc::kUnavailable, "run " + command.argv[0] + ": cancelled");
    }
    if (!drain(out->read, output.out, limits.max_bytes)) fds[1].fd = -1;
    if (!drain(err->read, output.err, limits.max_bytes)) fds[2].fd = -1;
  }
  drain(out->read, output.out, limits.max_bytes);
  drain(err->read, output.err, limits.max_bytes);
  output.exit_status = child->reap();
  return output;
}

}  // namespace orb8::k8s
