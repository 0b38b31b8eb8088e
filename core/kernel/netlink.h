// netlink(7): dumps, and notices of change.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "core/base/result.h"

struct mnl_socket;
struct nlattr;
struct nlmsghdr;

namespace orb8 {

class NetlinkSocket {
 public:
  // `groups`: RTMGRP_* bits to be told of, or 0 for requests.
  static Result<NetlinkSocket> open(std::uint32_t groups);
  // Of ctnetlink, with NF_NETLINK_CONNTRACK_* bits.
  static Result<NetlinkSocket> open_netfilter(std::uint32_t groups);

  int fd() const;

  // How much may wait to be read. More than the system's limit needs CAP_NET_ADMIN.
  void set_buffer(int bytes);

  // Sends a dump request, `build` completes its payload, and calls `visit` for each answer. A dump
  // that changed while it was read is read again.
  Result<void> dump(std::uint16_t type, const std::function<void(nlmsghdr*)>& build,
                    const std::function<void(const nlmsghdr*)>& visit);

  // Calls `visit` for each notice that has come; does not wait. False when notices were lost, as
  // the socket's buffer was full: whoever follows state must read it anew.
  bool drain(const std::function<void(const nlmsghdr*)>& visit);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  explicit NetlinkSocket(mnl_socket* socket) : socket_(socket) {}
  static Result<NetlinkSocket> open_bus(int bus, std::uint32_t groups, const char* name);

  std::unique_ptr<mnl_socket, Close> socket_;
};

// The attributes behind a message's fixed part of `offset` bytes, and those inside another one.
// What is malformed ends the walk.
using AttrFn = std::function<void(const nlattr*)>;
void for_each_attr(const nlmsghdr* message, std::size_t offset, const AttrFn& visit);
void for_each_nested_attr(const nlattr* outer, const AttrFn& visit);

}  // namespace orb8
