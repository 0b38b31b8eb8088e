// Live events from one publisher to many subscribers, each with a bounded queue of its own: a slow
// one loses its own events, counted, and harms nobody else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "core/base/result.h"
#include "core/flow/flow_filter.h"
#include "core/model/event.h"

namespace orb8 {

struct SubscribeOptions {
  FlowFilter filter;
  bool packets = false;         // packet events instead of flow events
  std::size_t capacity = 1000;  // events queued before the oldest is dropped
};

class StreamHub;

// One subscriber's end. Destroying it unsubscribes. The hub may go first: the stream then ends.
class Subscription {
 public:
  struct Batch {
    std::vector<Event> events;
    std::uint64_t dropped_before = 0;  // lost from this queue since the batch before
    bool ended = false;                // the hub closed: nothing more will come
  };

  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  ~Subscription();

  // Waits until there is an event, the hub closes, `stop` is requested or the time is over.
  Batch next(std::chrono::milliseconds timeout, std::stop_token stop = {});

  std::uint64_t dropped() const;  // in all

 private:
  friend class StreamHub;
  struct Queue;
  explicit Subscription(std::shared_ptr<Queue> queue);
  std::shared_ptr<Queue> queue_;
};

class StreamHub {
 public:
  explicit StreamHub(std::size_t max_subscribers);
  ~StreamHub();  // closes every subscription

  // Any thread. kExhausted when there are max_subscribers already.
  Result<Subscription> subscribe(SubscribeOptions options);

  // The publisher's thread. Filters once per subscriber; costs nothing when nobody listens.
  void publish(const Event& event);
  bool wants_flows() const noexcept;

  // The kernel-side filters of all packet subscribers, and a number that changes with them.
  std::vector<PacketFilter> packet_filters(std::size_t most) const;
  std::uint64_t packet_generation() const noexcept;
  // Called (on the subscriber's thread) whenever packet_generation() changed.
  void on_packet_change(std::function<void()> notify);

  std::size_t subscribers() const;
  std::uint64_t dropped() const noexcept;  // over all subscribers, also gone ones

  // Ends every stream after what is queued; later subscribe() calls fail with kUnavailable.
  void close();
};

}  // namespace orb8
