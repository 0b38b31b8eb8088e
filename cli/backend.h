// Where a command gets its answers: an agent, or this process itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include "core/base/result.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// How long to wait for an answer, and what ends the waiting before.
struct Patience {
  std::chrono::milliseconds time{10'000};
  std::stop_token stop;
};

class Backend {
 public:
  // False: enough, end the stream.
  using EventFn = std::function<bool(const v1::NetworkEvent&)>;

  // Called by stream() when no further event is at hand, before it waits for one: what was told so
  // far is to be shown now. Between two of these calls events may be shown together.
  using PauseFn = std::function<void()>;

  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  virtual Result<v1::AgentStatus> status(const Patience& patience) = 0;
  virtual Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& request,
                                               const Patience& patience) = 0;
  virtual Result<v1::QueryPodsResponse> pods(const v1::QueryPodsRequest& request,
                                             const Patience& patience) = 0;

  // Until `stop` is requested or `on_event` has enough: no error then. The agent's going is one.
  virtual Result<void> stream(const v1::StreamEventsRequest& request, const EventFn& on_event,
                              const std::stop_token& stop) = 0;

  // Whether flows are counted only since this process started, so that a query must wait for some.
  virtual bool starts_empty() const = 0;

  void set_on_pause(PauseFn on_pause) { on_pause_ = std::move(on_pause); }

 protected:
  void pause() const {
    if (on_pause_) on_pause_();
  }

 private:
  PauseFn on_pause_;
};

}  // namespace orb8
