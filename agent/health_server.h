// /healthz and /readyz over HTTP.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/result.h"
#include "core/model/status.h"

namespace httplib {
class Server;
}

namespace orb8 {

// GET /healthz: 200, or 503 when a component is not healthy, with the reason of each as JSON.
// GET /readyz: 200 from set_ready() on, 503 before. Anything else: 404.
class HealthServer {
 public:
  using StatusFn = std::function<Status()>;

  // `address` "::" listens on IPv4 as well, and on IPv4 alone where there is no IPv6. kUnavailable:
  // the port is taken.
  static Result<std::unique_ptr<HealthServer>> start(const std::string& address, std::uint16_t port,
                                                     StatusFn status);
  ~HealthServer();
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  void set_ready(bool ready) noexcept { ready_.store(ready); }

 private:
  explicit HealthServer(StatusFn status);
  bool bind(const std::string& address, std::uint16_t port);

  StatusFn status_;
  std::atomic<bool> ready_ = false;
  std::uint16_t port_ = 0;
  std::unique_ptr<httplib::Server> server_;
  std::jthread thread_;
};

}  // namespace orb8
