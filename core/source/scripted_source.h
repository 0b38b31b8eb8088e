// A flow source for tests, which says what it is told to say.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/source/flow_source.h"

namespace orb8 {

// The script is shared with the source, which belongs to the pipeline; any thread may write it.
class Script {
 public:
  Script()
      : ring_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        other_ring_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  // The kernel's entry of a flow, with counters that only grow.
  void set_flow(const FlowRecord& record) {
    const std::lock_guard lock(mutex_);
    for (auto& known : flows_) {
      if (known.key == record.key) {
        known = record;
        return;
      }
    }
    flows_.push_back(record);
  }

  // A new entry, which the next snapshot comes to before all others.
  void set_first_flow(const FlowRecord& record) {
    const std::lock_guard lock(mutex_);
    flows_.insert(flows_.begin(), record);
  }

  void send_packet(const Event& packet) {
    {
      const std::lock_guard lock(mutex_);
      packets_.push_back(packet);
    }
    wake(ring_);
  }

  // A wake-up of a second ring, which has nothing in it.
  void wake_other_ring() const { wake(other_ring_); }

  void set_accounting(const Accounting& accounting) {
    const std::lock_guard lock(mutex_);
    accounting_ = accounting;
  }

  // The source keeps no sum of what it counted: the flow table's is the one.
  void count_by_table() {
    const std::lock_guard lock(mutex_);
    counted_by_table_ = true;
  }

  // The source hangs for as long as this is held.
  std::unique_lock<std::mutex> hang() const { return std::unique_lock(mutex_); }

  void fail_with(std::string what) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(what);
  }

  // Packets are not to be had, for this reason; empty: they are.
  void refuse_packets(std::string why) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(why);
  }

  // From now on each snapshot tells which sockets are left.
  void set_living_sockets(std::vector<std::uint64_t> cookies) {
    const std::lock_guard lock(mutex_);
    living_.emplace(std::move(cookies));
  }

  std::vector<PacketFilter> wanted_packets() const {
    const std::lock_guard lock(mutex_);
    return wanted_;
  }
  std::uint16_t left_out_port() const {
    const std::lock_guard lock(mutex_);
    return port_;
  }
  bool has_flow(const FlowKey& key) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(flows_, key, &FlowRecord::key) != flows_.end();
  }
  std::optional<FlowRecord> take_flow(const FlowKey& key) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(flows_, key, &FlowRecord::key);
    if (found == flows_.end()) return std::nullopt;
    auto flow = *found;
    flows_.erase(found);
    return flow;
  }
  std::size_t flows() const {
    const std::lock_guard lock(mutex_);
    return flows_.size();
  }

  std::size_t waiting_packets() const {
    const std::lock_guard lock(mutex_);
    return packets_.size();
  }

 private:
  friend class ScriptedSource;
  static void wake(const UniqueFd& ring) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(ring.get(), &one, sizeof(one));
  }

  mutable std::mutex mutex_;
  std::vector<FlowRecord> flows_;
  std::vector<Event> packets_;
  std::vector<PacketFilter> wanted_;
  std::optional<LivingSockets> living_;
  Accounting accounting_;
  bool counted_by_table_ = false;
  std::string failure_;
  std::string refusal_;
  std::uint16_t port_ = 0;
  UniqueFd ring_;
  UniqueFd other_ring_;
};

class ScriptedSource final : public FlowSource {
 public:
  explicit ScriptedSource(Script& script) : script_(script) {}

  Result<void> collect(const RecordFn& record) override {
    std::vector<FlowRecord> flows;
    {
      const std::lock_guard lock(script_.mutex_);
      if (!script_.failure_.empty()) return fail(Errc::kInternal, script_.failure_);
      flows = script_.flows_;
    }
    for (const auto& flow : flows) {
      if (script_.has_flow(flow.key)) record(flow);  // not forgotten meanwhile
    }
    return {};
  }

  const LivingSockets* living_sockets() const override {
    const std::lock_guard lock(script_.mutex_);
    living_ = script_.living_;
    return living_ ? &*living_ : nullptr;
  }

  void forget(std::span<const ToldFlow> forgotten, const RecordFn& record) override {
    for (const auto& [key, told, life] : forgotten) {
      if (const auto flow = script_.take_flow(key)) record(*flow);
    }
  }

  Result<void> want_packets(std::span<const PacketFilter> filters) override {
    const std::lock_guard lock(script_.mutex_);
    if (!script_.refusal_.empty()) return fail(Errc::kDenied, script_.refusal_);
    script_.wanted_.assign(filters.begin(), filters.end());
    return {};
  }

  void leave_out_port(std::uint16_t port) override {
    const std::lock_guard lock(script_.mutex_);
    script_.port_ = port;
  }

  std::vector<WaitFd> wait_fds() const override {
    return {{.fd = script_.ring_.get(), .may_wait = true},
            {.fd = script_.other_ring_.get(), .may_wait = true}};
  }

  std::size_t handle_ready(std::size_t most, const RecordFn& /*record*/,
                           const PacketFn& packet) override {
    const std::lock_guard lock(script_.mutex_);
    const auto count = std::min(most, script_.packets_.size());
    for (std::size_t i = 0; i < count; ++i) packet(script_.packets_[i]);
    script_.packets_.erase(script_.packets_.begin(),
                           script_.packets_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  SourceStatus status() const override {
    const std::lock_guard lock(script_.mutex_);
    SourceStatus status;
    status.name = "scripted";
    status.reason = "a test";
    status.accounting = script_.accounting_;
    status.counted_by_table = script_.counted_by_table_;
    return status;
  }

 private:
  Script& script_;
  mutable std::optional<LivingSockets> living_;  // as last handed out
};

}  // namespace orb8
