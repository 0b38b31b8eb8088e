// SPDX-License-Identifier: Apache-2.0
#include "core/identity/container_names.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace orb8 {
namespace {

void raise(int fd) {
  const std::uint64_t one = 1;
  (void)!::write(fd, &one, sizeof one);  // full means raised already
}

}  // namespace

ContainerNames::ContainerNames(ContainerNamesOptions options)
    : options_(std::move(options)),
      answered_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      cancel_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ContainerNames::~ContainerNames() = default;

std::optional<std::string> ContainerNames::name_of(const ContainerRef& container,
                                                   std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  auto& entry = entry_of(container.id);
  if (entry.name || entry.waiting || now_ns < entry.retry_ns) return entry.name;
  if (queue_.size() >= options_.max_waiting) return std::nullopt;  // the next call asks again
  entry.delay_ns = entry.delay_ns == 0 ? options_.first_retry_ns
                                       : std::min(2 * entry.delay_ns, options_.last_retry_ns);
  entry.retry_ns = now_ns + entry.delay_ns;
  entry.waiting = true;
  queue_.push_back(container);
  asked_.notify_one();
  return std::nullopt;
}

ContainerNames::Entry& ContainerNames::entry_of(const std::string& id) {
  if (const auto found = entries_.find(id); found != entries_.end()) return found->second;
  if (entries_.size() >= std::max<std::size_t>(options_.max_names, 1)) {
    drop(entries_.find(ages_.front()));
  }
  auto& entry = entries_[id];
  entry.age = ages_.insert(ages_.end(), id);
  return entry;
}

void ContainerNames::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(id); found != entries_.end()) drop(found);
}

void ContainerNames::drop(Entries::iterator which) {
  if (which->second.failed) --failed_;
  ages_.erase(which->second.age);
  entries_.erase(which);
}

void ContainerNames::handle_ready() {
  std::uint64_t count = 0;
  (void)!::read(answered_.get(), &count, sizeof count);
}

Component ContainerNames::component() const {
  const std::lock_guard lock(mutex_);
  return {.name = "container-names",
          .healthy = failed_ == 0,
          .reason = failed_ == 0 ? "" : last_error_};
}

std::size_t ContainerNames::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void ContainerNames::run(const std::stop_token& stop) {
  const std::stop_callback cancel(stop, [this] { raise(cancel_.get()); });
  const ContainerLookup lookup{
      .paths = options_.paths, .deadline = options_.deadline, .cancel_fd = cancel_.get()};
  while (!stop.stop_requested()) {
    ContainerRef next;
    {
      std::unique_lock lock(mutex_);
      if (!asked_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
      next = std::move(queue_.front());
      queue_.pop_front();
      if (!entries_.contains(next.id)) continue;  // forgotten while it waited
    }
    auto name = lookup.name_of(next);
    if (!stop.stop_requested()) answer(next.id, std::move(name));
  }
}

void ContainerNames::answer(const std::string& id, Result<std::optional<std::string>> name) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found != entries_.end()) {
      auto& entry = found->second;
      entry.waiting = false;
      failed_ -= entry.failed ? 1 : 0;
      entry.failed = !name;
      failed_ += entry.failed ? 1 : 0;
      if (name) entry.name = std::move(*name);
    }
    if (name) {
      last_error_.clear();
    } else if (std::exchange(last_error_, name.error().what) != name.error().what) {
      spdlog::warn("{}: containers are shown by their ids", last_error_);
    }
  }
  raise(answered_.get());
}

}  // namespace orb8
