// Where connections to rewritten addresses go: the kernel's connection tracking of this network
// namespace, followed through ctnetlink.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/result.h"
#include "core/kernel/nat_message.h"
#include "core/kernel/netlink.h"
#include "core/model/flow.h"
#include "core/model/status.h"

namespace orb8 {

// For one thread. Of all connections only those are kept whose destination was rewritten, and of
// those as many as there is room for.
class Conntrack {
 public:
  // Reads all; also for the network namespace that the calling thread is in.
  static Result<std::unique_ptr<Conntrack>> open(std::size_t max_entries = 65'536);

  // Takes in what came and went since; reads all anew where notices were lost. Does not wait.
  void refresh();

  // Who answers a connection to a rewritten address; null: it is not known to be one. Of `sent`
  // addresses, ports and protocol count, as its client sent it. Valid until the next refresh().
  const Backend* backend_of(const FlowKey& sent) const;

  // Goes up with each new entry.
  std::uint64_t version() const noexcept { return version_; }
  std::size_t size() const noexcept { return entries_.size(); }
  std::uint64_t refused() const noexcept { return refused_; }  // for want of room
  std::uint64_t reread() const noexcept { return reread_; }    // times, as notices were lost
  Component component() const;

 private:
  Conntrack(NetlinkSocket notices, NetlinkSocket requests, std::size_t max_entries)
      : notices_(std::move(notices)), requests_(std::move(requests)), max_entries_(max_entries) {}
  Result<void> read_all();
  void take(const nlmsghdr* message);

  NetlinkSocket notices_;
  NetlinkSocket requests_;
  std::size_t max_entries_;
  std::unordered_map<FlowKey, Backend, FlowKeyHash> entries_;
  std::uint64_t version_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t reread_ = 0;
  std::string error_;  // of the last read; empty: it worked
};

}  // namespace orb8
