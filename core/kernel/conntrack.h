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
#include "core/base/unique_fd.h"
#include "core/kernel/nat_message.h"
#include "core/kernel/netlink.h"
#include "core/model/flow.h"
#include "core/model/status.h"

namespace orb8 {

// For one thread. Of all connections only those are kept whose destination was rewritten, and of
// those as many as there is room for.
//
// Not all ends are told: since Linux 5.19 a connection that began while nobody listened ends in
// silence, and nothing is told where net.netfilter.nf_conntrack_events is 0. So all is read again
// after a while, for as long as there is something that no notice would put right.
//
// Times are of any clock that never goes back, the same one for all calls.
class Conntrack {
 public:
  // What no notice tells is known this much later.
  static constexpr std::int64_t kReadAgainNs = 60'000'000'000;

  // Reads all; also for the network namespace that the calling thread is in.
  static Result<std::unique_ptr<Conntrack>> open(std::int64_t now_ns,
                                                 std::size_t max_entries = 65'536);

  // Takes in what came and went since; reads all anew where notices were lost, and where it is time
  // to. Does not wait.
  void refresh(std::int64_t now_ns);

  // Who answers a connection to a rewritten address; null: it is not known to be one. Of `sent`
  // addresses, ports and protocol count, as its client sent it. Valid until the next refresh().
  const Backend* backend_of(const FlowKey& sent) const;

  // Goes up with each new entry.
  std::uint64_t version() const noexcept { return version_; }
  std::size_t size() const noexcept { return entries_.size(); }
  // For want of room, when all was read last and since.
  std::uint64_t refused() const noexcept { return refused_; }
  std::uint64_t reread() const noexcept { return reread_; }  // times, as notices were lost
  Component component() const;

 private:
  struct Entry {
    Backend backend;
    bool told = false;  // by a notice of its beginning, and so its end will be
  };

  Conntrack(NetlinkSocket notices, NetlinkSocket requests, std::size_t max_entries)
      : notices_(std::move(notices)), requests_(std::move(requests)), max_entries_(max_entries) {}
  Result<void> read_all(std::int64_t now_ns);
  bool has_to_read_again(std::int64_t now_ns);
  bool is_told_nothing() const;
  void take(const nlmsghdr* message);

  using Entries = std::unordered_map<FlowKey, Entry, FlowKeyHash>;

  NetlinkSocket notices_;
  NetlinkSocket requests_;
  UniqueFd events_;  // the setting, of this network namespace; none: it cannot be read
  std::size_t max_entries_;
  Entries entries_;
  std::uint64_t version_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t reread_ = 0;
  std::int64_t look_again_ns_ = 0;  // when, whether to read all again
  bool told_nothing_ = false;       // when it was looked last
  std::string error_;               // of the last read; empty: it worked
};

}  // namespace orb8
