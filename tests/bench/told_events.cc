// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/told_events.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace orb8::bench {
namespace {

constexpr auto kStartTime = std::chrono::seconds(10);

Result<void> wait_for_subscribers(const AgentProcess& agent, std::uint32_t count) {
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  for (;;) {
    const auto status = agent.status();
    if (!status) return std::unexpected(status.error());
    if (status->subscribers() >= count) return {};
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::kUnavailable, "the agent has not begun to send its events");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Result<std::unique_ptr<ToldEvents>> ToldEvents::start(const AgentProcess& agent,
                                                      const v1::FlowFilter& filter, CountFn count) {
  struct stat about = {};
  if (::stat("/proc/thread-self/ns/net", &about) != 0) {
    return sys_error(errno, "look at the own network namespace");
  }
  const auto before = agent.status();
  if (!before) return std::unexpected(before.error());
  std::unique_ptr<ToldEvents> told(
      new ToldEvents(static_cast<std::uint32_t>(about.st_ino), std::move(count)));
  v1::StreamEventsRequest request;
  *request.mutable_filter() = filter;
  told->reader_ = agent.stub().StreamEvents(&told->context_, request);
  told->thread_ = std::jthread([self = told.get()] { self->read(); });
  if (auto ok = wait_for_subscribers(agent, before->subscribers() + 1); !ok) {
    return std::unexpected(ok.error());
  }
  return told;
}

ToldEvents::~ToldEvents() {
  context_.TryCancel();
  thread_.join();
}

void ToldEvents::read() {
  v1::NetworkEvent event;
  while (reader_->Read(&event)) {
    if (event.netns() == netns_) sum_ += count_(event);
  }
  reader_->Finish();
}

}  // namespace orb8::bench
