// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/wakeups.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace orb8 {

Result<Wakeups> Wakeups::open(std::chrono::milliseconds gather) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return sys_error(errno, "make the pipeline's epoll");
  UniqueFd orders(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!orders) return sys_error(errno, "make the pipeline's eventfd");
  Wakeups wakeups(std::move(epoll), std::move(orders), gather);
  if (auto ok = wakeups.watch(wakeups.orders_.get(), By::kOrder); !ok) {
    return std::unexpected(ok.error());
  }
  return wakeups;
}

Wakeups::Wakeups(UniqueFd epoll, UniqueFd orders, std::chrono::milliseconds gather)
    : epoll_(std::move(epoll)), orders_(std::move(orders)), gather_(gather) {}

Result<void> Wakeups::watch(int fd, By by) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.u32 = static_cast<std::uint32_t>(by);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return sys_error(errno, "watch a descriptor of the pipeline's");
  }
  return {};
}

void Wakeups::order() const {
  const std::uint64_t one = 1;
  if (::write(orders_.get(), &one, sizeof(one)) < 0) return;  // full: it wakes up anyway
}

void Wakeups::take_orders() const {
  std::uint64_t ignored = 0;
  if (::read(orders_.get(), &ignored, sizeof(ignored)) < 0 && errno != EAGAIN) {
    spdlog::error("read the pipeline's eventfd: {}", errno);
  }
}

// A ring's first wake-up since it was drained says that a batch gathers; one of a later wait means
// that the ring fills.
bool Wakeups::wait(Clock::time_point until) {
  if (drain_at_) until = std::min(until, *drain_at_);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  std::array<epoll_event, 8> events = {};
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(std::max<std::int64_t>(left, 0)));
  const bool woken = woken_;  // before this wait: two rings may wake in one
  bool urgent = false;
  for (int i = 0; i < ready; ++i) {
    const auto by = static_cast<By>(events.at(static_cast<std::size_t>(i)).data.u32);
    if (by == By::kUrgent || (by == By::kMayWait && woken)) urgent = true;
    if (by == By::kMayWait) woken_ = true;
    if (by == By::kMayWait && !drain_at_) drain_at_ = Clock::now() + gather_;
  }
  take_orders();
  return urgent || (drain_at_ && Clock::now() >= *drain_at_);
}

void Wakeups::drained(std::optional<Clock::time_point> again) {
  drain_at_ = again;
  woken_ = false;
}

}  // namespace orb8
