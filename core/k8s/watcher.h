// The client: watches pods, services, nodes and endpoint slices, on one thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/k8s/access.h"
#include "core/k8s/client_status.h"
#include "core/k8s/http_client.h"
#include "core/k8s/reflector.h"
#include "core/k8s/sink.h"

namespace orb8::k8s {

// From start() on it tries, however long the API server is away or refuses; how that goes is said
// by component(). Ends promptly when it is destroyed.
class Watcher {
 public:
  // The sink is called by the watcher's thread alone, and outlives it.
  static Result<std::unique_ptr<Watcher>> start(const Access& access, const WatchOptions& options,
                                                Sink& sink);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  Component component() const { return status_.component(); }
  WatchCounters counters() const { return status_.counters(); }
  bool synced() const { return status_.synced(); }

 private:
  Watcher(const WatchOptions& options, Sink& sink, UniqueFd cancel);

  void run(const std::stop_token& stop);

  ClientStatus status_;
  std::vector<std::unique_ptr<Reflector>> reflectors_;
  UniqueFd cancel_;  // an eventfd; readable: nothing is worth waiting for any more
  std::unique_ptr<HttpClient> client_;
  std::jthread thread_;
};

}  // namespace orb8::k8s
