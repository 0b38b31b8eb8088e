// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/child.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>

#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

// Nothing may leave it: behind the fork there is the rest of the test.
[[noreturn]] void live(const std::function<void()>& work, int tell_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in another process: %s\n", error.what());
    ::_exit(1);
  }
  if (::write(tell_fd, "x", 1) != 1) ::_exit(1);
  for (;;) ::pause();
}

}  // namespace

Child::Child(const std::function<void()>& work) {
  int ends[2] = {};
  must(::pipe(ends), "pipe");
  const UniqueFd done(ends[0]);
  UniqueFd tell(ends[1]);
  pid_ = must(::fork(), "fork");
  if (pid_ == 0) live(work, tell.get());
  tell = UniqueFd();
  char byte = 0;
  if (::read(done.get(), &byte, 1) == 1) return;
  kill();
  throw std::runtime_error("the other process failed");
}

void Child::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Child watch_elsewhere(const NetNs& ns, const TcSource::Options& options) {
  std::unique_ptr<FlowSource> source;  // there, and never here
  return Child([&] {
    const auto here = ns.enter();
    auto opened = TcSource::open(options);
    if (!opened) throw std::runtime_error(opened.error().what);
    source = std::move(*opened);
  });
}

}  // namespace orb8::netns
