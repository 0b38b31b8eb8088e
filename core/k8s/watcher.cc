// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/watcher.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace orb8::k8s {

Watcher::Watcher(const WatchOptions& options, Sink& sink, UniqueFd cancel)
    : cancel_(std::move(cancel)) {
  for (const auto kind : kKinds) {
    reflectors_.push_back(std::make_unique<Reflector>(kind, options, sink, status_));
  }
}

Result<std::unique_ptr<Watcher>> Watcher::start(const Access& access, const WatchOptions& options,
                                                Sink& sink) {
  UniqueFd cancel(::eventfd(0, EFD_CLOEXEC));
  if (!cancel) return sys_error(errno, "make an eventfd for the Kubernetes client");
  const CommandLimits limits{.cancel_fd = cancel.get()};
  auto client = HttpClient::create(access, limits);
  if (!client) return std::unexpected(client.error());
  std::unique_ptr<Watcher> watcher(new Watcher(options, sink, std::move(cancel)));
  watcher->client_ = std::move(*client);
  spdlog::info("Watching Kubernetes at {} ({})", access.server, access.origin);
  watcher->thread_ =
      std::jthread([self = watcher.get()](const std::stop_token& stop) { self->run(stop); });
  return watcher;
}

Watcher::~Watcher() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  if (::write(cancel_.get(), &one, sizeof one) != sizeof one) {
    spdlog::error("write the Kubernetes client's eventfd: {}", errno);
  }
  client_->wake();
}

void Watcher::run(const std::stop_token& stop) {
  using Clock = Reflector::Clock;
  while (!stop.stop_requested()) {
    for (const auto& reflector : reflectors_) {
      if (stop.stop_requested()) return;
      const auto due = reflector->due();
      if (due && *due <= Clock::now()) client_->get(reflector->begin(), *reflector);
    }
    auto next = Clock::now() + std::chrono::hours(1);
    for (const auto& reflector : reflectors_)
      next = std::min(next, reflector->due().value_or(next));
    client_->poll(std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()));
  }
}

}  // namespace orb8::k8s
