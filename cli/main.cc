// orb8: the command line. Signals and a closed pipe become a stop request; all else is in run().
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stop_token>
#include <thread>

#include "cli/run.h"
#include "core/base/unique_fd.h"
#include "core/config/load.h"

namespace {

constexpr std::size_t kOutputBytes = std::size_t{64} << 10U;

bool is_reader_gone(const pollfd& out) {
  return (out.revents & POLLERR) != 0;  // what a pipe or a socket says when its other end closed
}

// Asked where a write failed: whether that is why.
bool reader_gone() {
  pollfd out = {.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return ::poll(&out, 1, 0) > 0 && is_reader_gone(out);
}

// Ends `stop` on SIGINT, on SIGTERM, and when nobody reads standard output any more: a program that
// learns of it only by writing would wait for the next packet, which may never come.
void watch(std::stop_source stop, const sigset_t& signals) {
  const orb8::UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  std::array<pollfd, 2> waited = {{{.fd = fd.get(), .events = POLLIN, .revents = 0},
                                   {.fd = STDOUT_FILENO, .events = 0, .revents = 0}}};
  for (;;) {
    if (::poll(waited.data(), waited.size(), -1) < 0) continue;
    if (is_reader_gone(waited[1])) stop.request_stop();
    if (waited[1].revents != 0) waited[1].fd = -1;
    if (waited[0].revents == 0) continue;
    signalfd_siginfo got = {};
    if (::read(fd.get(), &got, sizeof(got)) != sizeof(got)) continue;
    if (stop.request_stop()) continue;
    // The second one: whoever sends it does not want to wait for a summary.
    const int signal = static_cast<int>(got.ssi_signo);
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  }
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a failed write says it
  // Lines for a program are written together while there are more. A terminal gets each at once.
  if (::isatty(STDOUT_FILENO) != 1) std::setvbuf(stdout, nullptr, _IOFBF, kOutputBytes);
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // our own lines say what its would

  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made
  const std::stop_source stop;
  std::thread(watch, stop, signals).detach();

  const auto environment = [](const std::string& name) { return std::getenv(name.c_str()); };
  try {
    return orb8::run({argv + 1, argv + argc}, {.environment = environment,
                                               .variables = orb8::variable_names(),
                                               .out = std::cout,
                                               .err = std::cerr,
                                               .err_terminal = ::isatty(STDERR_FILENO) == 1,
                                               .screen = orb8::screen_of_stdout(environment),
                                               .stop = stop.get_token(),
                                               .reader_gone = reader_gone});
  } catch (const std::exception& error) {  // out of memory, or a mistake of ours: still one line
    std::cerr << "orb8: gave up: " << error.what() << "\n";
    return 1;
  }
}
