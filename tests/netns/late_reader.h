// A flow source whose rings are read late, as by an agent that gets no CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "core/source/flow_source.h"

namespace orb8::netns {

class LateReader : public FlowSource {
 public:
  // While `late` is true no ring is read. It outlives this.
  LateReader(std::unique_ptr<FlowSource> source, const std::atomic<bool>& late)
      : source_(std::move(source)), late_(late) {}

  std::size_t handle_ready(std::size_t most, const RecordFn& record,
                           const PacketFn& packet) override {
    return late_ ? most : source_->handle_ready(most, record, packet);  // `most`: there is more
  }

  Result<void> collect(const RecordFn& record) override { return source_->collect(record); }
  const LivingSockets* living_sockets() const override { return source_->living_sockets(); }
  void forget(std::span<const ToldFlow> flows, const RecordFn& record) override {
    source_->forget(flows, record);
  }
  Result<void> want_packets(std::span<const PacketFilter> filters) override {
    return source_->want_packets(filters);
  }
  void leave_out_port(std::uint16_t port) override { source_->leave_out_port(port); }
  std::vector<WaitFd> wait_fds() const override { return source_->wait_fds(); }
  SourceStatus status() const override { return source_->status(); }

 protected:
  FlowSource& source() { return *source_; }

 private:
  std::unique_ptr<FlowSource> source_;
  const std::atomic<bool>& late_;
};

}  // namespace orb8::netns
