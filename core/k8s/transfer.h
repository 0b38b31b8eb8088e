// One request on its way, over libcurl.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/base/curl.h"
#include "core/base/result.h"
#include "core/k8s/access.h"
#include "core/k8s/authenticator.h"
#include "core/k8s/http_listener.h"

namespace orb8::k8s {

// What all requests to a server have in common.
struct Server {
  std::string url;         // what requests' targets are put behind
  std::string connect_to;  // where the URL's host is not where to connect to; or empty
  std::string host;        // the Host header where the URL's host is not it; or empty
};

// Where the certificate has another name than the server, the URL gets that name, since libcurl
// holds certificates against the URL.
Result<Server> server_of(const Access& access);

class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  static Result<std::unique_ptr<Transfer>> create(const Access& access, const Server& server,
                                                  const HttpRequest& request,
                                                  const Credential& credential);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() = default;

  CURL* handle() const { return easy_.get(); }

  void listen(HttpListener& listener, Authenticator& authenticator) {
    listener_ = &listener;
    authenticator_ = &authenticator;
  }

  // When it has been silent for too long.
  Clock::time_point dead_at() const { return last_byte_ + idle_limit_; }

  // Tells the listener, as the last thing.
  void end(CURLcode code);
  void end_silent();

 private:
  Transfer() = default;

  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl().easy_setopt(easy_.get(), option, value) != CURLE_OK) sound_ = false;
  }
  void add(CurlList& to, const std::string& text);
  void set_pem(const Pem& pem, CURLoption file, CURLoption blob);
  void forget_authorities();
  void set_tls(const Access& access, const Credential& credential);
  void set_up(const Access& access, const Server& server, const HttpRequest& request,
              const Credential& credential);
  std::string why(CURLcode code) const;

  static std::size_t on_header(const char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t on_body(const char* data, std::size_t one, std::size_t size, void* self);

  CurlEasy easy_;
  CurlList headers_;
  CurlList connect_to_;
  std::string server_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::chrono::milliseconds idle_limit_{0};
  Clock::time_point last_byte_ = Clock::now();
  HttpListener* listener_ = nullptr;
  Authenticator* authenticator_ = nullptr;
  bool head_told_ = false;
  bool enough_ = false;  // the listener wants no more
  bool sound_ = true;    // each option was taken
};

}  // namespace orb8::k8s
