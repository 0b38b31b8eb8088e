// orb8: the command line. Signals become a stop request; everything else is in run().
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <thread>

#include "cli/run.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is seen as a failed write, and ends quietly
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // our own lines say what its would

  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made
  std::stop_source stop;
  std::thread([stop, signals]() mutable {
    int signal = 0;
    ::sigwait(&signals, &signal);
    stop.request_stop();
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // the second one ends it at once
    ::pause();
  }).detach();

  return orb8::run(
      {argv + 1, argv + argc},
      {.environment = [](const std::string& name) { return std::getenv(name.c_str()); },
       .out = std::cout,
       .err = std::cerr,
       .stop = stop.get_token()});
}
