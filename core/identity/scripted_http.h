// An HTTP server on a unix socket that answers what a test tells it to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/unique_fd.h"

namespace orb8 {

class ScriptedHttp {
 public:
  // The raw reply to a raw request; absent: the connection stays open without a word.
  using Script = std::function<std::optional<std::string>(const std::string& request)>;

  ScriptedHttp(const std::string& path, Script script)
      : script_(std::move(script)),
        listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        stop_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 16) != 0) {
      throw std::runtime_error("cannot listen on " + path);
    }
    thread_ = std::jthread([this] { serve(); });
  }
  ~ScriptedHttp() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
  }
  ScriptedHttp(const ScriptedHttp&) = delete;
  ScriptedHttp& operator=(const ScriptedHttp&) = delete;

  int requests() const { return requests_; }

  static std::string ok(const std::string& body) {
    return "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  void serve() {
    std::vector<UniqueFd> silent;
    for (;;) {
      std::array<pollfd, 2> fds = {{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
      ::poll(fds.data(), fds.size(), -1);
      if (fds[1].revents != 0) return;
      UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string request;
      std::array<char, 4096> buffer;
      while (!request.ends_with("\r\n\r\n")) {
        const auto got = ::read(client.get(), buffer.data(), buffer.size());
        if (got <= 0) break;
        request.append(buffer.data(), static_cast<std::size_t>(got));
      }
      ++requests_;
      if (const auto reply = script_(request)) {
        (void)::send(client.get(), reply->data(), reply->size(), MSG_NOSIGNAL);
      } else {
        silent.push_back(std::move(client));
      }
    }
  }

  Script script_;
  UniqueFd listener_;
  UniqueFd stop_;
  std::atomic<int> requests_ = 0;
  std::jthread thread_;
};

}  // namespace orb8
