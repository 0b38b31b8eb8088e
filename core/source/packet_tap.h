// Single packets, for a source that does not look at them: TC classifiers for as long as somebody
// listens.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/source/tc_source.h"

namespace orb8 {

class PacketTap {
 public:
  static Result<PacketTap> open(TcSource::Options options);

  // Loads and attaches for the first filter, detaches after the last: see FlowSource. From and to
  // so few interfaces at once that snapshots keep their rhythm; handle_ready() goes on with it.
  Result<void> want(std::span<const PacketFilter> filters, std::uint16_t own_port);

  // As FlowSource's; they stay the same.
  std::vector<FlowSource::WaitFd> wait_fds() const;
  std::size_t handle_ready(std::size_t most, const FlowSource::PacketFn& packet);

  // With each snapshot: keeps the classifiers' flow maps, which tell a packet's second crossing
  // from its first, from filling up.
  Result<void> tidy();

  // What it has attached now, and how that goes.
  std::optional<SourceStatus> status() const;

 private:
  PacketTap(TcSource::Options options, UniqueFd rings, UniqueFd interfaces)
      : options_(std::move(options)),
        rings_(std::move(rings)),
        interfaces_(std::move(interfaces)) {}
  void end_when_left();

  TcSource::Options options_;
  UniqueFd rings_;       // epolls over the source's descriptors: those that may wait,
  UniqueFd interfaces_;  // and those that may not
  std::unique_ptr<TcSource> source_;
};

}  // namespace orb8
