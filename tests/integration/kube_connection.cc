// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/kube_connection.h"

#include <httplib.h>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace orb8::integration {

KubeConnection::KubeConnection(std::string url, const std::string& ca_file, std::string token)
    : url_(std::move(url)),
      token_(std::move(token)),
      client_(std::make_unique<httplib::Client>(url_)) {
  // OpenSSL writes to a connection whose other end was killed.
  static const auto before = std::signal(SIGPIPE, SIG_IGN);
  if (before == SIG_ERR) throw std::runtime_error("ignore SIGPIPE");
  constexpr int kSeconds = 60;  // a list of thousands, on a busy machine
  client_->set_ca_cert_path(ca_file.c_str());
  client_->set_keep_alive(true);
  client_->set_tcp_nodelay(true);
  client_->set_read_timeout(kSeconds);
}

KubeConnection::~KubeConnection() = default;

HttpAnswer KubeConnection::call(const std::string& method, const std::string& path,
                                const std::string& body) {
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.headers = {
      {"Authorization", "Bearer " + token_},
      {"Content-Type", method == "PATCH" ? "application/merge-patch+json" : "application/json"}};
  const auto answer = client_->send(request);
  if (!answer) {
    throw std::runtime_error(method + " " + url_ + path + ": " + to_string(answer.error()));
  }
  return {.status = answer->status, .body = answer->body};
}

}  // namespace orb8::integration
