// SPDX-License-Identifier: Apache-2.0
#include "cli/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace orb8 {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10U;

std::unexpected<Error> cannot_read(const std::string& name, int error) {
  return sys_error(error, "cannot read " + name);
}

}  // namespace

LineReader::LineReader(UniqueFd fd, UniqueFd wake, std::string name)
    : fd_(std::move(fd)), wake_(std::move(wake)), name_(std::move(name)), buffer_(kBufferBytes) {}

std::string LineReader::name_of(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

Result<LineReader> LineReader::open(const std::string& path) {
  const bool input = path == "-";
  const auto name = name_of(path);
  UniqueFd fd(input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return cannot_read(name, errno);
  struct stat about = {};
  if (::fstat(fd.get(), &about) != 0) return cannot_read(name, errno);
  if (S_ISDIR(about.st_mode)) return cannot_read(name, EISDIR);
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return cannot_read(name, errno);
  return LineReader(std::move(fd), std::move(wake), name);
}

// More bytes into the empty buffer. kLine: there are some.
Result<LineReader::Got> LineReader::fill(const std::stop_token& stop) {
  if (before_read_) before_read_();
  const int wake = wake_.get();
  const std::stop_callback woken(stop, [wake] { ::eventfd_write(wake, 1); });
  std::array<pollfd, 2> waited = {{{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = wake, .events = POLLIN, .revents = 0}}};
  for (;;) {
    if (stop.stop_requested()) return Got::kStopped;
    if (::poll(waited.data(), waited.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return cannot_read(name_, errno);
    }
    if (waited[0].revents == 0) continue;
    const auto got = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (got < 0) {
      // A pipe that somebody has made non-blocking may be empty again.
      if (errno == EINTR || errno == EAGAIN) continue;
      return cannot_read(name_, errno);
    }
    begin_ = 0;
    end_ = static_cast<std::size_t>(got);
    return got == 0 ? Got::kEnd : Got::kLine;
  }
}

Result<LineReader::Got> LineReader::next(std::string& line, const std::stop_token& stop) {
  line.clear();
  bool begun = false;
  bool too_long = false;
  for (;;) {
    if (begin_ == end_) {
      const auto filled = fill(stop);
      if (!filled) return filled;
      if (*filled == Got::kStopped || (*filled == Got::kEnd && !begun)) return filled;
      if (*filled == Got::kEnd) break;
    }
    begun = true;
    const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
    const auto line_end = rest.find('\n');  // of a string_view it is memchr()
    const auto piece = rest.substr(0, line_end);
    const auto room = kMostBytes - line.size();
    too_long = too_long || piece.size() > room;
    line.append(piece.substr(0, room));
    begin_ += piece.size();
    if (line_end == rest.npos) continue;
    ++begin_;
    break;
  }
  ++number_;
  if (line.ends_with('\r')) line.pop_back();
  return too_long ? Got::kTooLong : Got::kLine;
}

}  // namespace orb8
