// Single packets, for a source that does not look at them: TC classifiers for as long as somebody
// listens.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/source/tc_source.h"

namespace orb8 {

class PacketTap {
 public:
  static Result<PacketTap> open(TcSource::Options options);

  // Loads and attaches for the first filter, detaches after the last: see FlowSource.
  Result<void> want(std::span<const PacketFilter> filters, std::uint16_t own_port);

  // Readable when handle_ready() has work; stays the same.
  int fd() const noexcept { return epoll_.get(); }
  std::size_t handle_ready(std::size_t most, const FlowSource::PacketFn& packet);

  // With each snapshot: keeps the classifiers' flow maps, which tell a packet's second crossing
  // from its first, from filling up.
  Result<void> tidy();

  // What it has attached now, and how that goes.
  std::optional<SourceStatus> status() const;

 private:
  PacketTap(TcSource::Options options, UniqueFd epoll)
      : options_(std::move(options)), epoll_(std::move(epoll)) {}

  TcSource::Options options_;
  UniqueFd epoll_;
  std::unique_ptr<FlowSource> source_;
};

}  // namespace orb8
