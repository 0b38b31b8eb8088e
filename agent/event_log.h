// Each event as a line of the debug log.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <thread>

#include "core/flow/stream_hub.h"

namespace orb8 {

// "[shop/web-0] 10.0.0.1:4242 -> 10.0.0.2:53 UDP egress len=128 from=shop/web-0 to=kube-system/dns"
std::string to_log_line(const Event& event);

// Logs what its subscription brings, until destroyed.
class EventLog {
 public:
  explicit EventLog(Subscription subscription);

 private:
  std::jthread thread_;
};

}  // namespace orb8
