// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/told_packets.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>

namespace orb8::bench {
namespace {

constexpr auto kStartTime = std::chrono::seconds(10);

Result<void> wait_for_subscriber(const AgentProcess& agent) {
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  for (;;) {
    const auto status = agent.status();
    if (!status) return std::unexpected(status.error());
    if (status->subscribers() > 0) return {};
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::kUnavailable, "the agent has not begun to send its events");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Result<std::unique_ptr<ToldPackets>> ToldPackets::start(const AgentProcess& agent,
                                                        std::uint16_t port) {
  struct stat about = {};
  if (::stat("/proc/thread-self/ns/net", &about) != 0) {
    return sys_error(errno, "look at the own network namespace");
  }
  std::unique_ptr<ToldPackets> told(new ToldPackets(static_cast<std::uint32_t>(about.st_ino)));
  v1::StreamEventsRequest request;
  request.mutable_filter()->add_protocols("udp");
  request.mutable_filter()->add_ports(port);
  told->reader_ = agent.stub().StreamEvents(&told->context_, request);
  told->thread_ = std::jthread([self = told.get()] { self->read(); });
  if (auto ok = wait_for_subscriber(agent); !ok) return std::unexpected(ok.error());
  return told;
}

ToldPackets::~ToldPackets() {
  context_.TryCancel();
  thread_.join();
}

void ToldPackets::read() {
  v1::NetworkEvent event;
  while (reader_->Read(&event)) {
    if (event.netns() == netns_) packets_ += event.packets();
  }
  reader_->Finish();
}

}  // namespace orb8::bench
