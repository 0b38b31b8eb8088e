// A GET request, and who hears its answer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace orb8::k8s {

struct HttpRequest {
  std::string target;                    // path and query
  std::chrono::milliseconds idle_limit;  // without a byte for so long, the connection is dead
};

struct HttpHead {
  int status = 0;
  std::chrono::seconds retry_after{0};
};

// head(), body() any number of times, end(); or end() alone where nothing was answered.
class HttpListener {
 public:
  virtual ~HttpListener() = default;
  virtual void head(const HttpHead& head) = 0;
  virtual bool body(std::string_view part) = 0;        // false: enough; end() follows, in success
  virtual void end(const Result<void>& complete) = 0;  // or why the answer is not whole
};

}  // namespace orb8::k8s
