// SPDX-License-Identifier: Apache-2.0
#include "core/identity/unix_http.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

class Request {
 public:
  Request(const std::string& socket_path, const UnixHttpOptions& options)
      : path_(socket_path),
        options_(options),
        end_(Clock::now() + options.deadline),
        socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}

  Result<void> connect() {
    if (!socket_) return sys_error(errno, "make a socket for " + path_);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) {
      return fail(Errc::kInvalid, "connect to " + path_ + ": the path is too long");
    }
    path_.copy(address.sun_path, path_.size());
    // A unix socket connects at once, or fails with EAGAIN when too many wait already.
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
        0) {
      return sys_error(errno, "connect to " + path_);
    }
    return {};
  }

  Result<void> send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        text.remove_prefix(static_cast<std::size_t>(sent));
      } else if (auto ok = wait_after(errno, POLLOUT); !ok) {
        return ok;
      }
    }
    return {};
  }

  Result<std::string> receive() {
    std::string text;
    std::array<char, 16384> buffer;
    for (;;) {
      const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (got == 0) return text;
      if (got > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > options_.max_bytes) {
          return fail(Errc::kExhausted, "read from " + path_ + ": the reply is too long");
        }
      } else if (auto ok = wait_after(errno, POLLIN); !ok) {
        return std::unexpected(ok.error());
      }
    }
  }

 private:
  // Until the socket is ready again, if that is all that is wrong.
  Result<void> wait_after(int err, short events) {
    if (err == EINTR) return {};
    if (err != EAGAIN) return sys_error(err, "talk to " + path_);
    std::array<pollfd, 2> fds = {{{socket_.get(), events, 0}, {options_.cancel_fd, POLLIN, 0}}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
    const int ready =
        left > 0 ? ::poll(fds.data(), fds.size(), static_cast<int>(std::min<long>(left, 60'000)))
                 : 0;
    if (ready < 0 && errno != EINTR) return sys_error(errno, "wait for " + path_);
    if (fds[1].revents != 0) return fail(Errc::kUnavailable, "talk to " + path_ + ": cancelled");
    if (ready == 0 && Clock::now() >= end_) {
      return fail(Errc::kUnavailable, "talk to " + path_ + ": no answer in time");
    }
    return {};
  }

  const std::string& path_;
  const UnixHttpOptions& options_;
  Clock::time_point end_;
  UniqueFd socket_;
};

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The value of the header `name`, which is in lower case.
std::optional<std::string> header(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - (at + 2));
    const auto colon = line.find(':');
    if (colon != name.size()) continue;
    const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == b; };
    if (!std::ranges::equal(line.substr(0, colon), name, same)) continue;
    std::string value(line.substr(colon + 1));
    std::erase(value, ' ');
    return value;
  }
  return std::nullopt;
}

}  // namespace

Result<HttpReply> parse_http_reply(std::string_view text) {
  const auto head_end = text.find("\r\n\r\n");
  // "HTTP/1.1 200 OK"
  constexpr std::size_t kCodeAt = 9;
  if (head_end == std::string_view::npos || !text.starts_with("HTTP/1.") ||
      head_end < kCodeAt + 3) {
    return fail(Errc::kInvalid, "read an HTTP reply: it has no head");
  }
  const auto head = text.substr(0, head_end);
  const auto status = number_of<int>(head.substr(kCodeAt, 3));
  if (!status) return fail(Errc::kInvalid, "read an HTTP reply: it has no status");
  HttpReply reply{.status = *status, .body = std::string(text.substr(head_end + 4))};
  if (header(head, "transfer-encoding")) {
    return fail(Errc::kInvalid, "read an HTTP reply: HTTP/1.0 has no transfer encodings");
  }
  if (const auto announced = header(head, "content-length")) {
    const auto length = number_of<std::size_t>(*announced);
    if (!length || *length > reply.body.size()) {
      return fail(Errc::kUnavailable, "read an HTTP reply: it was cut short");
    }
    reply.body.resize(*length);
  }
  return reply;
}

Result<HttpReply> unix_http_get(const std::string& socket_path, const std::string& target,
                                const UnixHttpOptions& options) {
  Request request(socket_path, options);
  if (auto ok = request.connect(); !ok) return std::unexpected(ok.error());
  if (auto ok = request.send("GET " + target + " HTTP/1.0\r\nHost: localhost\r\n\r\n"); !ok) {
    return std::unexpected(ok.error());
  }
  const auto text = request.receive();
  if (!text) return std::unexpected(text.error());
  return parse_http_reply(*text);
}

}  // namespace orb8
