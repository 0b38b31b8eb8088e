// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/command_cpu.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace orb8::bench {
namespace {

double seconds(const timeval& time) {
  constexpr double kUsPerSecond = 1e6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / kUsPerSecond;
}

}  // namespace

Result<double> cpu_seconds_of_orb8(std::vector<std::string> arguments) {
  const char* folder = std::getenv("ORB8_BIN_DIR");
  std::string path = std::string(folder != nullptr ? folder : "build/bin") + "/orb8";
  std::vector<char*> argv = {path.data()};
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* no_environment[] = {nullptr};
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0);
  }
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), &files, nullptr, argv.data(), no_environment);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return sys_error(error, "run " + path);
  int status = 0;
  rusage used = {};
  while (::wait4(pid, &status, 0, &used) < 0) {
    if (errno != EINTR) return sys_error(errno, "wait for " + path);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(Errc::kInternal, path + " failed; its status is " + std::to_string(status));
  }
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace orb8::bench
