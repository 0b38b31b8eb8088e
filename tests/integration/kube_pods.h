// Pods in a real API server, many of them, which say themselves what is to be known of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/identity/kube_store.h"
#include "core/model/addr.h"
#include "tests/integration/kube_api.h"

namespace orb8::integration {

// The place of a pod that make_pods() makes; "/status" behind it is its status.
std::string pod_path(int number);
Addr pod_ip(int number);

// To be sent to the status: it runs, and has this address.
std::string running_at(const Addr& ip);

// Pods `first` up to `end`, over a few connections. They are of Deployments, StatefulSets, Jobs or
// nobody's, on one of ten nodes, with one address each where `running`. Throws where one fails.
void make_pods(const KubeApi& api, int first, int end, bool running);

// What is known of each pod, one line by its UID: as the API server tells it, asked now, ...
using PodLines = std::map<std::string, std::string>;
PodLines truth(const KubeApi& api);
// ... and as the store has it: by its own list, and by each running pod's address.
PodLines held(const KubeStore& store);
// Empty: both say the same. Else what differs first, and how much.
std::string difference(const PodLines& truth, const PodLines& held);

// Makes, changes and deletes pods while it lives: 200 changes a second, over four connections, for
// as long as the server lets it. The changes are to pods of its own and to the first of
// make_pods().
class Churn {
 public:
  explicit Churn(const KubeApi& api);
  ~Churn() { stop(); }
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  void stop();                                   // all answers are in when it returns
  int made() const { return made_.load(); }      // changes that the server took
  int failed() const { return failed_.load(); }  // for want of a server

 private:
  void run(const KubeApi& api, int which);

  std::atomic<bool> stop_ = false;
  std::atomic<int> made_ = 0;
  std::atomic<int> failed_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace orb8::integration
