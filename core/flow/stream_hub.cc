// SPDX-License-Identifier: Apache-2.0
#include "core/flow/stream_hub.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <utility>

namespace orb8 {
namespace {

// Where "for ever" is added to a clock, it must not overflow.
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(24);

}  // namespace

// Publisher's end and subscriber's end of one stream.
struct Subscription::Queue {
  explicit Queue(SubscribeOptions wanted)
      : options(std::move(wanted)), matcher(options.selection) {}

  bool wants(const Event& event) const {
    if (options.packets != (event.kind == EventKind::kPacket)) return false;
    if (!options.packets && (options.kinds & kinds_of(event.kind)) == 0) return false;
    return matcher.matches(event.flow);
  }

  // How many events had to make room: 0 or 1.
  std::uint64_t push(const Event& event) {
    std::uint64_t made_room = 0;
    bool was_empty = false;  // the subscriber waits only then
    {
      const std::lock_guard lock(mutex);
      was_empty = events.empty();
      if (events.size() == options.capacity) {
        events.pop_front();
        made_room = 1;
      }
      events.push_back(event);
      dropped_since += made_room;
      dropped += made_room;
    }
    if (was_empty) changed.notify_one();
    return made_room;
  }

  const SubscribeOptions options;
  const FlowMatcher matcher;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<Event> events;
  std::uint64_t dropped_since = 0;  // the last batch
  std::uint64_t dropped = 0;
  bool closed = false;
};

// Who is subscribed: shared by the hub and its subscriptions, which may outlive it.
struct Subscription::Members {
  void changed_packets() {
    packet_generation.fetch_add(1);
    const std::lock_guard lock(notify_mutex);
    if (notify) notify();
  }

  // With the list's mutex held.
  std::size_t clients() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(queues, [](const auto& queue) { return !queue->options.own; }));
  }
  void changed_list() {
    EventKinds all = 0;
    for (const auto& queue : queues) {
      if (!queue->options.packets) all |= queue->options.kinds;
    }
    wanted_kinds.store(all, std::memory_order_relaxed);
  }

  mutable std::mutex mutex;  // of the list; publish() holds it while it queues
  std::vector<std::shared_ptr<Queue>> queues;
  bool closed = false;
  std::atomic<EventKinds> wanted_kinds = 0;  // of flow events
  std::atomic<std::uint64_t> packet_generation = 0;
  std::atomic<std::uint64_t> dropped = 0;
  std::mutex notify_mutex;  // held during a call, so that the hub's end waits for it
  std::function<void()> notify;
};

// --- subscriber ---

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  Subscription taken(std::move(other));
  std::swap(queue_, taken.queue_);  // what this one had goes with `taken`
  std::swap(members_, taken.members_);
  return *this;
}

Subscription::~Subscription() {
  if (!queue_) return;  // moved from
  const bool packets = queue_->options.packets;
  {
    const std::lock_guard lock(members_->mutex);
    std::erase(members_->queues, queue_);
    members_->changed_list();
  }
  if (packets) members_->changed_packets();
}

Subscription::Batch Subscription::next(std::chrono::milliseconds timeout,
                                       const std::stop_token& stop, std::size_t most) {
  Batch batch;
  std::unique_lock lock(queue_->mutex);
  queue_->changed.wait_for(lock, stop, std::min(timeout, kLongestWait),
                           [&] { return !queue_->events.empty() || queue_->closed; });
  auto& queued = queue_->events;
  const auto end = queued.begin() + static_cast<std::ptrdiff_t>(std::min(most, queued.size()));
  batch.events.assign(std::make_move_iterator(queued.begin()), std::make_move_iterator(end));
  queued.erase(queued.begin(), end);
  batch.dropped_before = std::exchange(queue_->dropped_since, 0);
  batch.ended = queue_->closed && queued.empty();
  return batch;
}

std::uint64_t Subscription::dropped() const {
  const std::lock_guard lock(queue_->mutex);
  return queue_->dropped;
}

// --- hub ---

StreamHub::StreamHub(std::size_t max_subscribers)
    : max_subscribers_(max_subscribers), members_(std::make_shared<Subscription::Members>()) {}

StreamHub::~StreamHub() {
  on_packet_change({});
  close();
}

void StreamHub::on_packet_change(std::function<void()> notify) {
  const std::lock_guard lock(members_->notify_mutex);
  members_->notify = std::move(notify);
}

Result<Subscription> StreamHub::subscribe(SubscribeOptions options) {
  const bool packets = options.packets;
  options.capacity = std::max<std::size_t>(options.capacity, 1);
  auto queue = std::make_shared<Subscription::Queue>(std::move(options));
  {
    const std::lock_guard lock(members_->mutex);
    if (members_->closed) return fail(Errc::kUnavailable, "shutting down");
    if (!queue->options.own && members_->clients() >= max_subscribers_) {
      return fail(Errc::kExhausted, "all " + std::to_string(max_subscribers_) +
                                        " streams are taken: end one, or raise max_streams");
    }
    members_->queues.push_back(queue);
    members_->changed_list();
  }
  if (packets) members_->changed_packets();
  return Subscription(std::move(queue), members_);
}

void StreamHub::publish(Event event) {
  const std::lock_guard list_lock(members_->mutex);
  if (members_->closed) return;
  event.number = ++published_;
  for (const auto& queue : members_->queues) {
    if (!queue->wants(event)) continue;
    const auto dropped = queue->push(event);
    if (queue->options.own) continue;
    members_->dropped.fetch_add(dropped, std::memory_order_relaxed);
  }
}

bool StreamHub::wants(EventKind kind) const noexcept {
  return (members_->wanted_kinds.load(std::memory_order_relaxed) & kinds_of(kind)) != 0;
}

std::vector<PacketFilter> StreamHub::packet_filters(std::size_t most) const {
  std::vector<PacketFilter> all;
  const std::lock_guard lock(members_->mutex);
  for (const auto& queue : members_->queues) {
    if (!queue->options.packets) continue;
    for (const auto& filter : orb8::packet_filters(queue->options.selection, most)) {
      if (std::ranges::find(all, filter) == all.end()) all.push_back(filter);
    }
  }
  if (all.size() > most) return {PacketFilter{}};
  return all;
}

std::uint64_t StreamHub::packet_generation() const noexcept {
  return members_->packet_generation.load();
}

std::size_t StreamHub::subscribers() const {
  const std::lock_guard lock(members_->mutex);
  return members_->clients();
}

std::uint64_t StreamHub::dropped() const noexcept {
  return members_->dropped.load(std::memory_order_relaxed);
}

void StreamHub::close() {
  const std::lock_guard list_lock(members_->mutex);
  members_->closed = true;
  for (const auto& queue : members_->queues) {
    {
      const std::lock_guard lock(queue->mutex);
      queue->closed = true;
    }
    queue->changed.notify_all();
  }
}

}  // namespace orb8
