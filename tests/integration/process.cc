// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <system_error>

namespace orb8::integration {
namespace {

constexpr int kNotStarted = 127;
constexpr int kBySignal = 128;

[[noreturn]] void throw_errno(const std::string& doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

std::string path_of(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* folder = std::getenv("ORB8_BIN_DIR");
  return std::string(folder ? folder : "build/bin") + "/" + program;
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (const auto* name :
       {"PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) all.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : command.environment) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;

  Pipe() {
    std::array<int, 2> fds = {};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("make a pipe");
    read = UniqueFd(fds[0]);
    write = UniqueFd(fds[1]);
  }
};

struct Start {
  int program_fd;  // open already: another user may not reach the folder
  int in_fd;       // -1: /dev/null
  int out_fd;
  int err_fd;
  const uid_t* user;
  char** arguments;
  char** environment;
};

// Between fork and exec: system calls only.
[[noreturn]] void become(const Start& start) {
  const int in = start.in_fd >= 0 ? start.in_fd : ::open("/dev/null", O_RDONLY);
  if (in < 0 || ::dup2(in, STDIN_FILENO) < 0) ::_exit(kNotStarted);
  if (::dup2(start.out_fd, STDOUT_FILENO) < 0) ::_exit(kNotStarted);
  if (::dup2(start.err_fd, STDERR_FILENO) < 0) ::_exit(kNotStarted);
  if (start.user != nullptr) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(*start.user) != 0) ::_exit(kNotStarted);
    if (::setuid(*start.user) != 0) ::_exit(kNotStarted);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after setuid, which takes it back
  ::syscall(SYS_execveat, start.program_fd, "", start.arguments, start.environment, AT_EMPTY_PATH);
  ::_exit(kNotStarted);
}

}  // namespace

Process::Process(const std::string& program, const Command& command) {
  auto path = path_of(program);
  const UniqueFd program_fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!program_fd) throw_errno("find " + path);
  std::vector<std::string> words = {path};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  auto environment = environment_of(command);
  auto arguments = pointers_to(words);
  auto variables = pointers_to(environment);
  Pipe out;
  Pipe err;
  const Start start = {.program_fd = program_fd.get(),
                       .in_fd = command.in_fd,
                       .out_fd = command.out_fd >= 0 ? command.out_fd : out.write.get(),
                       .err_fd = command.err_fd >= 0 ? command.err_fd : err.write.get(),
                       .user = command.user ? &*command.user : nullptr,
                       .arguments = arguments.data(),
                       .environment = variables.data()};
  pid_ = ::fork();
  if (pid_ == 0) become(start);
  if (pid_ < 0) throw_errno("start " + path);
  pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  out_.fd = std::move(out.read);
  err_.fd = std::move(err.read);
  out_.reader = std::thread([this] { keep(out_); });
  err_.reader = std::thread([this] { keep(err_); });
}

Process::~Process() {
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (auto* stream : {&out_, &err_}) {
    if (stream->reader.joinable()) stream->reader.join();
  }
}

// Until the last holder of the other end has closed it.
void Process::keep(Stream& stream) {
  std::array<char, 4096> buffer = {};
  for (;;) {
    const auto got = ::read(stream.fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    const std::lock_guard lock(mutex_);
    stream.text.append(buffer.data(), static_cast<std::size_t>(got));
    more_.notify_all();
  }
}

bool Process::wait_for(const Stream& stream, const std::string& words,
                       std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return more_.wait_for(lock, patience,
                        [&] { return stream.text.find(words) != std::string::npos; });
}

bool Process::says(const std::string& words, std::chrono::milliseconds patience) {
  return wait_for(err_, words, patience);
}

bool Process::prints(const std::string& words, std::chrono::milliseconds patience) {
  return wait_for(out_, words, patience);
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

std::optional<int> Process::exit_status(std::chrono::milliseconds patience) {
  if (status_) return status_;
  pollfd ended = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) throw_errno("wait for a process");
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : kBySignal + WTERMSIG(status);
  out_.reader.join();
  err_.reader.join();
  return status_;
}

std::string Process::out() {
  const std::lock_guard lock(mutex_);
  return out_.text;
}

std::string Process::err() {
  const std::lock_guard lock(mutex_);
  return err_.text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace orb8::integration
