// SPDX-License-Identifier: Apache-2.0
#include "core/source/packet_tap.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace orb8 {

Result<PacketTap> PacketTap::open(TcSource::Options options) {
  options.few_at_start = true;  // the first packets do not wait for a hundred pods' interfaces
  UniqueFd rings(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd interfaces(::epoll_create1(EPOLL_CLOEXEC));
  if (!rings || !interfaces) return sys_error(errno, "make the packet tap's epoll");
  return PacketTap(std::move(options), std::move(rings), std::move(interfaces));
}

Result<void> PacketTap::want(std::span<const PacketFilter> filters, std::uint16_t own_port) {
  if (filters.empty()) {
    if (!source_) return {};
    if (auto ok = source_->want_packets(filters); !ok) return ok;
    source_->watch_interfaces(false);
    end_when_left();
    return {};
  }
  if (!source_) {
    auto opened = TcSource::open(options_);
    if (!opened) return std::unexpected(opened.error());
    for (const auto& wait : (*opened)->wait_fds()) {
      epoll_event event = {};
      event.events = EPOLLIN | EPOLLET;
      event.data.fd = wait.fd;
      const auto& epoll = wait.may_wait ? rings_ : interfaces_;
      if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wait.fd, &event) != 0) {
        return sys_error(errno, "watch a descriptor of the packet tap");
      }
    }
    source_ = std::move(*opened);
    source_->leave_out_port(own_port);
  }
  source_->watch_interfaces(true);
  return source_->want_packets(filters);
}

void PacketTap::end_when_left() {
  if (source_->has_left()) source_.reset();  // its descriptors leave the epoll as they close
}

std::size_t PacketTap::handle_ready(std::size_t most, const FlowSource::PacketFn& packet) {
  if (!source_) return 0;
  for (const auto* epoll : {&rings_, &interfaces_}) {
    std::array<epoll_event, 4> taken = {};  // so that the next wake-up is one again
    ::epoll_wait(epoll->get(), taken.data(), static_cast<int>(taken.size()), 0);
  }
  const auto handled = source_->handle_ready(most, [](const FlowRecord&) {}, packet);
  if (handled < most) end_when_left();
  return handled;
}

std::vector<FlowSource::WaitFd> PacketTap::wait_fds() const {
  return {{.fd = rings_.get(), .may_wait = true}, {.fd = interfaces_.get(), .may_wait = false}};
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
