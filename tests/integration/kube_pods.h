// Pods in a real API server, many of them, which say themselves what is to be known of them, and
// Services.
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

// What the API server tells, asked now.
struct Truth {
  std::map<std::string, std::string> pods;  // what is known of each, one line by its UID
  std::vector<k8s::Service> services;
};
Truth truth(const KubeApi& api);
// Empty: the store says the same of pods, by its own list and by each running one's address, and of
// Services, by their addresses and ports and by how many there are. Else what differs first, and
// how much.
std::string difference(const Truth& truth, const KubeStore& store);

// Makes, changes and deletes pods and Services while it lives: kPerSecond changes, over four
// connections, for as long as the server lets it; what it could not do in time it makes up for. The
// changes are to objects of its own and to the first thousand of make_pods().
class Churn {
 public:
  static constexpr int kPerSecond = 200;

  explicit Churn(const KubeApi& api);
  ~Churn() { stop(); }
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  void stop();                                     // all answers are in when it returns
  int made() const { return made_.load(); }        // changes that the server took
  int refused() const { return refused_.load(); }  // those that it did not
  int failed() const { return failed_.load(); }    // for want of a server
  double made_per_second() const;                  // until now

 private:
  void run(const KubeApi& api, int which);

  std::atomic<bool> stop_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<int> made_ = 0;
  std::atomic<int> refused_ = 0;
  std::atomic<int> failed_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace orb8::integration
