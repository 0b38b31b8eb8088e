// A real Kubernetes API server on a real etcd, on loopback alone: no kubelet, no controllers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/temp_folder.h"
#include "tests/integration/kube_connection.h"
#include "tests/integration/process.h"

namespace orb8::integration {

// Ready when it is made; both servers end with it, and also when this process crashes. Throws where
// something does not start. The programs are those that tests/e2e/kubernetes.sh makes.
class KubeApi {
 public:
  static bool is_installed();
  static std::string program(const std::string& name);  // its path: etcd, kube-apiserver, kubectl

  // `flags` come after those for the server that this class chooses, and so win.
  explicit KubeApi(std::vector<std::string> flags = {});

  std::string url() const;  // https://127.0.0.1:PORT
  std::uint16_t port() const { return port_; }
  std::string ca_file() const { return folder_ / "server.crt"; }
  // Of the file format that kubectl reads, for a user who may do everything.
  std::string kubeconfig() const { return folder_ / "kubeconfig"; }
  static std::string token() { return "all-powerful"; }         // the same user's
  static std::string weak_token() { return "without-a-role"; }  // user "nobody", without a role

  // `path` with its query. A PATCH is a merge patch. Throws where nobody answers.
  HttpAnswer call(const std::string& method, const std::string& path, const std::string& body = "",
                  const std::string& token = KubeApi::token()) const;
  // Of EndpointSlices: /apis/discovery.k8s.io/v1, or v1beta1 of Kubernetes 1.20.
  std::string discovery() const;
  KubeConnection connect() const;  // as the user who may do everything

  void kill_server();   // every connection breaks; what was stored stays
  void start_server();  // again, on the same port; returns when it is ready
  // etcd forgets all states but the present one: the rest of a list from before is 410 Gone. What a
  // running server watched meanwhile it still has in memory.
  void compact() const;

  std::string log() const { return server_ ? server_->err() : std::string(); }

 private:
  void make_files() const;
  bool is_ready() const;

  TempFolder folder_;
  std::vector<std::string> flags_;
  std::uint16_t etcd_port_;
  std::uint16_t port_;
  std::unique_ptr<Process> etcd_;
  std::unique_ptr<Process> server_;
};

}  // namespace orb8::integration
