// Live events from one publisher to many subscribers, each with a bounded queue of its own: a slow
// one loses its own events, counted, and harms nobody else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "core/base/result.h"
#include "core/flow/flow_filter.h"
#include "core/flow/flow_matcher.h"
#include "core/model/event.h"

namespace orb8 {

// A set of kinds of events, as bits.
using EventKinds = std::uint8_t;
constexpr EventKinds kinds_of(EventKind kind) {
  return static_cast<EventKinds>(1U << static_cast<unsigned>(kind));
}
inline constexpr EventKinds kAllKinds = 0xff;

struct SubscribeOptions {
  FlowSelection selection;
  bool packets = false;          // packet events instead of flow events
  EventKinds kinds = kAllKinds;  // of flow events those that are wanted
  // One of the program's own: it takes no client's place, is none of subscribers(), and whoever has
  // it tells what it loses.
  bool own = false;
  std::size_t capacity = 1000;  // events queued; the oldest makes room for one more
};

// One subscriber's end. Destroying it unsubscribes. The hub may go first: the stream then ends.
class Subscription {
 public:
  struct Batch {
    std::vector<Event> events;
    std::uint64_t dropped_before = 0;  // lost from this queue since the batch before
    bool ended = false;                // the hub closed, and this is all that was left
  };

  // Waits until there is an event, the hub closes, `stop` is requested or the time is over, and
  // takes what is queued, but no more than `most`: what stays still counts for the capacity. One
  // thread at a time.
  Batch next(std::chrono::milliseconds timeout, const std::stop_token& stop = {},
             std::size_t most = std::numeric_limits<std::size_t>::max());

  std::uint64_t dropped() const;  // in all

  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&&) noexcept;
  ~Subscription();

 private:
  friend class StreamHub;
  struct Queue;
  struct Members;
  Subscription(std::shared_ptr<Queue> queue, std::shared_ptr<Members> members)
      : queue_(std::move(queue)), members_(std::move(members)) {}

  std::shared_ptr<Queue> queue_;
  std::shared_ptr<Members> members_;
};

class StreamHub {
 public:
  explicit StreamHub(std::size_t max_subscribers);
  StreamHub(const StreamHub&) = delete;
  StreamHub& operator=(const StreamHub&) = delete;
  ~StreamHub();  // closes

  // Called, on the thread of whoever subscribes or goes, when packet_generation() has changed. Set
  // it before the first subscriber comes; it is not called after the hub is gone.
  void on_packet_change(std::function<void()> notify);

  // Any thread. kExhausted: there are max_subscribers already; kUnavailable: closed.
  Result<Subscription> subscribe(SubscribeOptions options);

  // The publisher's thread. Numbers the event, and applies each subscriber's filter to it. Does
  // nothing once closed.
  void publish(Event event);
  // Whether anyone wants such events of flows: what publish() would do without is not worth
  // preparing.
  bool wants(EventKind kind) const noexcept;

  // What the packet subscribers want, for the kernel; a single "everything" when that is more than
  // `most` conjunctions. The generation changes whenever this does.
  std::vector<PacketFilter> packet_filters(std::size_t most) const;
  std::uint64_t packet_generation() const noexcept;

  // The number of the last event, since the publisher's first; for the publisher's thread.
  std::uint64_t published() const noexcept { return published_; }

  std::size_t subscribers() const;
  std::uint64_t dropped() const noexcept;  // over all of these, those gone included

  // Ends every stream behind what is queued.
  void close();

 private:
  std::size_t max_subscribers_;
  std::uint64_t published_ = 0;
  std::shared_ptr<Subscription::Members> members_;
};

}  // namespace orb8
