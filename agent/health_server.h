// /livez, /readyz, /healthz and /metrics over HTTP.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "agent/listen_address.h"
#include "agent/metrics_page.h"
#include "core/base/result.h"
#include "core/model/status.h"

namespace httplib {
class Server;
}

namespace orb8 {

// GET /livez: 200, or 503 when only a restart helps. Load, loss and absent servers leave it green.
// GET /healthz: 200, or 503 when a component is not healthy, with the reason of each as JSON.
// GET /readyz: 200 while set_ready(true), else 503.
// GET /metrics: see MetricsPage. Anything else: 404.
class HealthServer {
 public:
  using StatusFn = std::function<Status()>;
  using AliveFn = std::function<bool()>;

  // `address` "::" listens on IPv4 as well, and on IPv4 alone where there is no IPv6. kUnavailable:
  // the port is taken, or the address is not this machine's.
  static Result<std::unique_ptr<HealthServer>> start(const ListenAddress& address);
  ~HealthServer();
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  // What /healthz and /livez answer from; before, all is healthy, without components, and alive.
  void follow(StatusFn status, AliveFn alive);
  // What /metrics answers with.
  void follow_metrics(MetricsPage::TextFn text) { metrics_.follow(std::move(text)); }
  std::uint16_t port() const noexcept { return port_; }
  void set_ready(bool ready) noexcept { ready_.store(ready); }

 private:
  HealthServer();
  bool bind(const std::string& host, std::uint16_t port);
  bool open(const std::string& host, std::uint16_t port);
  Status status();
  bool alive();

  std::mutex follow_mutex_;
  StatusFn status_;
  AliveFn alive_;
  MetricsPage metrics_;
  std::atomic<bool> ready_ = false;
  std::uint16_t port_ = 0;
  int socket_ = -1;  // that the library listens on, and owns
  std::unique_ptr<httplib::Server> server_;
  std::jthread thread_;
};

}  // namespace orb8
