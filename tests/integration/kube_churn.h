// Objects of all kinds that the agent watches, which come, change and go in a real API server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "core/model/addr.h"
#include "tests/integration/kube_api.h"

namespace orb8::integration {

// What the objects of a Churn have, at first and after a change: the ports of Services and of
// EndpointSlices, the addresses of a node, and that of a slice's one endpoint. The names of those
// objects end in the number.
constexpr std::array<std::uint16_t, 2> kChurnedPorts = {80, 81};
std::array<Addr, 2> churned_node_ips(int number);
std::array<Addr, 2> churned_slice_ips(int number);

// Makes, changes and deletes pods, Services, nodes and EndpointSlices while it lives: kPerSecond
// changes, over four connections, for as long as the server lets it; what it could not do in time
// it makes up for. The changes are to objects of its own and to the first thousand of make_pods().
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
