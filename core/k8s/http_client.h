// GET requests to one API server, all on one thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/k8s/authenticator.h"
#include "core/k8s/http_listener.h"

namespace orb8::k8s {

// HTTP/1.1: each watch has a connection of its own, so that one which is half dead takes no other
// watch with it. What lists leave open is used again.
class HttpClient {
 public:
  // `limits` are an exec plugin's.
  static Result<std::unique_ptr<HttpClient>> create(const Access& access, CommandLimits limits);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The listener hears the answer while poll() runs; that there will be none, at once.
  void get(const HttpRequest& request, HttpListener& listener);

  // Waits until something arrives or an answer ends, but no longer; listeners are called from here.
  void poll(std::chrono::milliseconds at_most);

  // Ends the poll() that runs, or else the next one, from any thread.
  void wake();

 private:
  class Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orb8::k8s
