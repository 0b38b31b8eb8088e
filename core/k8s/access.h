// Which API server, and as whom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace orb8::k8s {

// Certificates or a key: a file, which is read anew for each connection, or the text. Or none.
struct Pem {
  std::string file;
  std::string text;

  bool empty() const { return file.empty() && text.empty(); }
  bool operator==(const Pem&) const = default;
};

// A program that is run to get a credential (client.authentication.k8s.io).
struct ExecPlugin {
  std::string command;  // a path, or a name that is looked for in PATH
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;  // on top of the agent's own
  std::string api_version;
  std::string install_hint;
  bool wants_cluster = false;  // provideClusterInfo
  bool operator==(const ExecPlugin&) const = default;
};

struct Access {
  std::string origin;           // for people: "the pod's service account", "/root/.kube/config"
  std::string server;           // "https://10.0.0.1:6443", with a path behind it where there is one
  Pem ca;                       // empty: the system's
  bool insecure = false;        // takes any certificate
  std::string tls_server_name;  // empty: the server's name in the URL
  std::string proxy;            // empty: as HTTPS_PROXY and NO_PROXY say
  Pem cert;                     // the client's own
  Pem key;
  std::string token;
  std::string token_file;  // goes before `token`, which is for when it cannot be read
  std::optional<ExecPlugin> exec;
  bool operator==(const Access&) const = default;
};

// Where access is looked for.
struct AccessPlaces {
  std::string kubeconfig;  // $KUBECONFIG: paths with colons between them
  std::string service_host;
  std::string service_port;
  std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount";
  std::string home;

  static AccessPlaces of_process();
};

// $KUBECONFIG if it is set; else the service account of the pod that this runs in; else
// ~/.kube/config. kNotFound: nothing points to a cluster. kUnavailable: something does, and what it
// points to is not there yet.
Result<Access> find_access(const AccessPlaces& places);

}  // namespace orb8::k8s
