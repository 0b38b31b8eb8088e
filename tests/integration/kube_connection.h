// Requests to an API server over one connection, which is kept: for many of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

namespace httplib {
class Client;
}

namespace orb8::integration {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// For one thread. A connection that broke is made anew by the next call.
class KubeConnection {
 public:
  KubeConnection(std::string url, const std::string& ca_file, std::string token);
  ~KubeConnection();
  KubeConnection(const KubeConnection&) = delete;
  KubeConnection& operator=(const KubeConnection&) = delete;

  // `path` with its query. A PATCH is a merge patch. Throws where nobody answers.
  HttpAnswer call(const std::string& method, const std::string& path, const std::string& body = "");

 private:
  std::string url_;
  std::string token_;
  std::unique_ptr<httplib::Client> client_;
};

}  // namespace orb8::integration
