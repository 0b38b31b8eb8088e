// The machine's interfaces, default routes and addresses, followed through rtnetlink.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "core/base/result.h"
#include "core/kernel/netlink.h"
#include "core/kernel/pod_ends.h"
#include "core/model/addr.h"

namespace orb8 {

struct Interface {
  std::uint32_t ifindex = 0;
  std::string name;
  bool ethernet = true;        // packets begin with an Ethernet header (loopback's too)
  bool default_route = false;  // carries one, of either family
  bool pod_end = false;        // the host's end of a pod's veth: what comes in the pod has sent
};

class NetworkState {
 public:
  // Reads all; also for the network namespace that the calling thread is in.
  static Result<NetworkState> open();

  const std::map<std::uint32_t, Interface>& interfaces() const noexcept { return interfaces_; }
  const std::set<Addr>& addresses() const noexcept { return addresses_; }

  // Becomes readable when something changed.
  int fd() const { return notices_.fd(); }

  // Takes in what changed; true when anything did. What could not be read is tried again by the
  // next call.
  Result<bool> refresh();

 private:
  NetworkState(NetlinkSocket notices, NetlinkSocket requests)
      : notices_(std::move(notices)), requests_(std::move(requests)) {}
  void take_notice(const nlmsghdr* notice);
  Result<void> read_links();
  Result<void> read_routes();
  Result<void> read_addresses();
  void mark_interfaces();

  NetlinkSocket notices_;
  NetlinkSocket requests_;
  std::map<std::uint32_t, Interface> interfaces_;
  std::map<std::uint32_t, LinkFacts> facts_;
  std::set<std::uint32_t> default_route_ifindexes_;
  std::set<std::uint32_t> network_ifindexes_;  // see LinkFacts::network_address
  std::set<Addr> addresses_;
  // To be read again: what a notice told of, or a read that failed.
  bool stale_links_ = false;
  bool stale_routes_ = false;
  bool stale_addresses_ = false;
};

}  // namespace orb8
