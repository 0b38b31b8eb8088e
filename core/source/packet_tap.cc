// SPDX-License-Identifier: Apache-2.0
#include "core/source/packet_tap.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace orb8 {

Result<PacketTap> PacketTap::open(TcSource::Options options) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return sys_error(errno, "make the packet tap's epoll");
  return PacketTap(std::move(options), std::move(epoll));
}

Result<void> PacketTap::want(std::span<const PacketFilter> filters, std::uint16_t own_port) {
  if (filters.empty()) {
    source_.reset();  // its descriptors leave the epoll as they close
    return {};
  }
  if (!source_) {
    auto opened = TcSource::open(options_);
    if (!opened) return std::unexpected(opened.error());
    for (const auto& wait : (*opened)->wait_fds()) {
      epoll_event event = {};
      event.events = EPOLLIN | EPOLLET;
      event.data.fd = wait.fd;
      if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wait.fd, &event) != 0) {
        return sys_error(errno, "watch a descriptor of the packet tap");
      }
    }
    source_ = std::move(*opened);
    source_->leave_out_port(own_port);
  }
  return source_->want_packets(filters);
}

std::size_t PacketTap::handle_ready(std::size_t most, const FlowSource::PacketFn& packet) {
  if (!source_) return 0;
  std::array<epoll_event, 4> taken = {};  // so that the next wake-up is one again
  ::epoll_wait(epoll_.get(), taken.data(), static_cast<int>(taken.size()), 0);
  return source_->handle_ready(most, [](const FlowRecord&) {}, packet);
}

Result<void> PacketTap::tidy() {
  if (!source_) return {};
  // The accounting is another source's; here each flow is forgotten as soon as it was told, so that
  // a packet in flight at that moment may be shown twice.
  std::vector<ToldFlow> told;
  auto ok = source_->collect(
      [&](const FlowRecord& record) { told.push_back({.key = record.key, .told = {}}); });
  source_->forget(told, [](const FlowRecord&) {});
  return ok;
}

std::optional<SourceStatus> PacketTap::status() const {
  if (!source_) return std::nullopt;
  return source_->status();
}

}  // namespace orb8
