// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/holder.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

[[noreturn]] void hold(const NetNs& ns, const TcSource::Options& options, int ready_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto here = ns.enter();
  const auto source = TcSource::open(options);
  if (!source) std::fprintf(stderr, "%s\n", source.error().what.c_str());
  const char ready = source ? 'y' : 'n';
  if (::write(ready_fd, &ready, 1) != 1) ::_exit(1);
  for (;;) ::pause();
}

}  // namespace

Holder::Holder(const NetNs& ns, const TcSource::Options& options) {
  int ends[2] = {};
  must(::pipe(ends), "pipe");
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  pid_ = must(::fork(), "fork");
  if (pid_ == 0) hold(ns, options, writer.get());
  char ready = 'n';
  must(::read(reader.get(), &ready, 1), "read from a holder");
  if (ready == 'y') return;
  kill();
  throw std::runtime_error("the other process could not attach");
}

void Holder::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace orb8::netns
