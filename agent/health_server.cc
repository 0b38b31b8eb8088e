// SPDX-License-Identifier: Apache-2.0
#include "agent/health_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace orb8 {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kLongestRequest = 4096;
constexpr time_t kFirstByteSeconds = 1;
constexpr time_t kTimeoutSeconds = 2;
constexpr int kOk = 200;
constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;

using Json = nlohmann::ordered_json;

void answer(httplib::Response& response, int code, const Json& body) {
  response.status = code;
  // An interface's name in a reason may be any bytes.
  const auto text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  response.set_content(text + "\n", "application/json");
}

Json health_of(const Status& status) {
  Json components = Json::array();
  for (const auto& component : status.components) {
    components.push_back(
        {{"name", component.name}, {"healthy", component.healthy}, {"reason", component.reason}});
  }
  return {{"status", status.healthy() ? "ok" : "degraded"}, {"components", components}};
}

// The library's own choice is SO_REUSEPORT, by which two agents would share the port unnoticed.
void take_port_alone(int socket) {
  const int one = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
}

}  // namespace

HealthServer::HealthServer() : server_(std::make_unique<httplib::Server>()) {
  server_->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server_->set_socket_options([this](int socket) {
    take_port_alone(socket);
    socket_ = socket;
  });
  server_->set_keep_alive_max_count(1);  // a probe's idle connection must not hold a thread
  server_->set_keep_alive_timeout(kFirstByteSeconds);
  server_->set_read_timeout(kTimeoutSeconds);
  server_->set_write_timeout(kTimeoutSeconds);
  server_->set_payload_max_length(kLongestRequest);
  server_->Get("/livez", [this](const httplib::Request&, httplib::Response& response) {
    const bool is_alive = alive();
    answer(response, is_alive ? kOk : kUnavailable, {{"status", is_alive ? "alive" : "wedged"}});
  });
  server_->Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
    const auto now = status();
    answer(response, now.healthy() ? kOk : kUnavailable, health_of(now));
  });
  server_->Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const bool ready = ready_.load();
    answer(response, ready ? kOk : kUnavailable, {{"status", ready ? "ready" : "not ready"}});
  });
  server_->Get("/metrics", [this](const httplib::Request& request, httplib::Response& response) {
    metrics_.answer(request, response);
  });
  server_->set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;  // our own 503
    answer(response, response.status == 0 ? kNotFound : response.status,
           {{"error", "GET /livez, /readyz, /healthz and /metrics is all there is"}});
  });
}

void HealthServer::follow(StatusFn status, AliveFn alive) {
  const std::lock_guard lock(follow_mutex_);
  status_ = std::move(status);
  alive_ = std::move(alive);
}

bool HealthServer::alive() {
  const std::lock_guard lock(follow_mutex_);
  return !alive_ || alive_();
}

Status HealthServer::status() {
  const std::lock_guard lock(follow_mutex_);
  return status_ ? status_() : Status{};
}

// The library lets five connections wait to be accepted. Where more come at once the kernel drops
// them, a probe's too, which tries again after a second and is over time by then.
bool HealthServer::bind(const std::string& host, std::uint16_t port) {
  return open(host, port) && ::listen(socket_, SOMAXCONN) == 0;
}

bool HealthServer::open(const std::string& host, std::uint16_t port) {
  if (port == 0) {
    const int any = server_->bind_to_any_port(host);
    port_ = static_cast<std::uint16_t>(std::max(any, 0));
    return any > 0;
  }
  port_ = port;
  return server_->bind_to_port(host, port);
}

Result<std::unique_ptr<HealthServer>> HealthServer::start(const ListenAddress& address) {
  std::unique_ptr<HealthServer> made(new HealthServer());
  if (!made->bind(address.host, address.port) &&
      !(address.host == "::" && made->bind("0.0.0.0", address.port))) {
    return std::unexpected(listen_error("health", address));
  }
  made->thread_ = std::jthread([server = made->server_.get()] { server->listen_after_bind(); });
  // The library forgets a stop() that comes before it listens.
  while (!made->server_->is_running()) std::this_thread::yield();
  return made;
}

HealthServer::~HealthServer() {
  if (thread_.joinable()) server_->stop();
}

}  // namespace orb8
