// One HTTP request over a unix socket, as Docker's API is spoken.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace orb8 {

struct HttpReply {
  int status = 0;
  std::string body;
};

struct UnixHttpOptions {
  std::chrono::milliseconds deadline{2000};  // for all of it
  std::size_t max_bytes = 4U << 20U;         // a longer reply is an error
  int cancel_fd = -1;                        // once this is readable, the request fails
};

// GET `target` in HTTP/1.0: the reply comes in one piece, and the server closes after it.
Result<HttpReply> unix_http_get(const std::string& socket_path, const std::string& target,
                                const UnixHttpOptions& options);

// A whole reply, up to where the server closed. Fails when it was cut short.
Result<HttpReply> parse_http_reply(std::string_view text);

}  // namespace orb8
