// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/network_state.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <string_view>
#include <utility>

namespace orb8 {
namespace {

constexpr std::uint32_t kGroups =
    RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

template <class Payload>
void ask_for_family(nlmsghdr* request, std::uint8_t family) {
  auto* payload = static_cast<Payload*>(mnl_nlmsg_put_extra_header(request, sizeof(Payload)));
  *reinterpret_cast<std::uint8_t*>(payload) = family;  // the first byte of each rtnetlink payload
}

bool has_ethernet_header(std::uint16_t arp_type) {
  return arp_type == ARPHRD_ETHER || arp_type == ARPHRD_LOOPBACK;
}

template <class Fn>
void for_each_nested(const nlmsghdr* message, std::size_t offset, std::uint16_t type,
                     const Fn& visit) {
  for_each_attr(message, offset, [&](const nlattr* attr) {
    if (mnl_attr_get_type(attr) == type) for_each_nested_attr(attr, visit);
  });
}

// IFLA_INFO_KIND and IFLA_INFO_SLAVE_KIND: a string, by some kernels without its zero byte.
bool says(const nlattr* attr, std::uint16_t type, std::string_view word) {
  if (mnl_attr_get_type(attr) != type) return false;
  const std::string_view said(static_cast<const char*>(mnl_attr_get_payload(attr)),
                              mnl_attr_get_payload_len(attr));
  return said.substr(0, said.find('\0')) == word;
}

LinkFacts facts_of(const nlmsghdr* message, const ifinfomsg& link) {
  LinkFacts facts{.up = (link.ifi_flags & IFF_UP) != 0};
  bool routed = false;  // its master is a table of routes, and no bridge
  for_each_attr(message, sizeof(link), [&](const nlattr* attr) {
    const auto type = mnl_attr_get_type(attr);
    if (type == IFLA_LINK_NETNSID) facts.peer_elsewhere = true;
    if (type == IFLA_MASTER && mnl_attr_get_payload_len(attr) >= 4) {
      facts.master = mnl_attr_get_u32(attr);
    }
  });
  for_each_nested(message, sizeof(link), IFLA_LINKINFO, [&](const nlattr* attr) {
    facts.veth |= says(attr, IFLA_INFO_KIND, "veth");
    routed |= says(attr, IFLA_INFO_SLAVE_KIND, "vrf");
  });
  if (routed) facts.master = 0;
  return facts;
}

bool is_default(const rtmsg& route) {
  return route.rtm_dst_len == 0 && route.rtm_type == RTN_UNICAST;
}

Addr to_addr(std::uint8_t family, const void* bytes) {
  Addr addr;
  if (family == AF_INET) {
    addr = Addr::v4(0, 0, 0, 0);
    std::memcpy(&addr.bytes[12], bytes, 4);
  } else {
    std::memcpy(addr.bytes.data(), bytes, addr.bytes.size());
  }
  return addr;
}

// An attribute's payload, or null when it is missing or too short.
const void* payload_of(const nlmsghdr* message, std::size_t offset, std::uint16_t type,
                       std::size_t bytes) {
  const void* payload = nullptr;
  for_each_attr(message, offset, [&](const nlattr* attr) {
    if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) >= bytes) {
      payload = mnl_attr_get_payload(attr);
    }
  });
  return payload;
}

void collect_hops(const nlattr* multipath, std::set<std::uint32_t>& ifindexes) {
  const auto* hop = static_cast<const rtnexthop*>(mnl_attr_get_payload(multipath));
  int left = mnl_attr_get_payload_len(multipath);
  while (RTNH_OK(hop, left)) {
    ifindexes.insert(static_cast<std::uint32_t>(hop->rtnh_ifindex));
    left -= static_cast<int>(NLMSG_ALIGN(hop->rtnh_len));
    hop = RTNH_NEXT(hop);
  }
}

}  // namespace

Result<NetworkState> NetworkState::open() {
  auto notices = NetlinkSocket::open(kGroups);  // before the first read: nothing is missed
  if (!notices) return std::unexpected(notices.error());
  auto requests = NetlinkSocket::open(0);
  if (!requests) return std::unexpected(requests.error());
  NetworkState state(std::move(*notices), std::move(*requests));
  if (auto ok = state.read_links(); !ok) return std::unexpected(ok.error());
  if (auto ok = state.read_routes(); !ok) return std::unexpected(ok.error());
  if (auto ok = state.read_addresses(); !ok) return std::unexpected(ok.error());
  return state;
}

void NetworkState::take_notice(const nlmsghdr* notice) {
  switch (notice->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      // An interface that goes takes its routes and addresses along, not always with a notice each.
      stale_links_ = stale_routes_ = stale_addresses_ = true;
      break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      stale_addresses_ = true;
      break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      // A router's table may turn over all the time: only default routes matter here.
      stale_routes_ |= is_default(*static_cast<const rtmsg*>(mnl_nlmsg_get_payload(notice)));
      break;
    default:
      break;
  }
}

Result<bool> NetworkState::refresh() {
  if (!notices_.drain([this](const nlmsghdr* notice) { take_notice(notice); })) {
    stale_links_ = stale_routes_ = stale_addresses_ = true;
  }
  const bool any = stale_links_ || stale_routes_ || stale_addresses_;
  if (stale_links_) {
    if (auto ok = read_links(); !ok) return std::unexpected(ok.error());
    stale_links_ = false;
  }
  if (stale_routes_) {
    if (auto ok = read_routes(); !ok) return std::unexpected(ok.error());
    stale_routes_ = false;
  }
  if (stale_addresses_) {
    if (auto ok = read_addresses(); !ok) return std::unexpected(ok.error());
    stale_addresses_ = false;
  }
  return any;
}

Result<void> NetworkState::read_links() {
  std::map<std::uint32_t, Interface> found;
  std::map<std::uint32_t, LinkFacts> facts;
  auto ok = requests_.dump(
      RTM_GETLINK, [](nlmsghdr* request) { ask_for_family<ifinfomsg>(request, AF_UNSPEC); },
      [&](const nlmsghdr* message) {
        const auto& link = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
        const auto* name = payload_of(message, sizeof(link), IFLA_IFNAME, 1);
        if (!name) return;
        const auto ifindex = static_cast<std::uint32_t>(link.ifi_index);
        facts[ifindex] = facts_of(message, link);
        found[ifindex] = {.ifindex = ifindex,
                          .name = static_cast<const char*>(name),
                          .ethernet = has_ethernet_header(link.ifi_type)};
      });
  if (!ok) return ok;
  interfaces_ = std::move(found);
  facts_ = std::move(facts);
  mark_interfaces();
  return {};
}

Result<void> NetworkState::read_routes() {
  std::set<std::uint32_t> found;
  for (const std::uint8_t family : {AF_INET, AF_INET6}) {
    auto ok = requests_.dump(
        RTM_GETROUTE, [=](nlmsghdr* request) { ask_for_family<rtmsg>(request, family); },
        [&](const nlmsghdr* message) {
          const auto& route = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
          if (!is_default(route)) return;
          for_each_attr(message, sizeof(route), [&](const nlattr* attr) {
            if (mnl_attr_get_type(attr) == RTA_OIF) found.insert(mnl_attr_get_u32(attr));
            if (mnl_attr_get_type(attr) == RTA_MULTIPATH) collect_hops(attr, found);
          });
        });
    if (!ok) return ok;
  }
  default_route_ifindexes_ = std::move(found);
  mark_interfaces();
  return {};
}

void NetworkState::mark_interfaces() {
  for (auto& [ifindex, facts] : facts_) {
    facts.default_route = default_route_ifindexes_.contains(ifindex);
    facts.network_address = network_ifindexes_.contains(ifindex);
  }
  const auto ends = pod_ends(facts_);
  for (auto& [ifindex, interface] : interfaces_) {
    interface.default_route = default_route_ifindexes_.contains(ifindex);
    interface.pod_end = ends.contains(ifindex);
  }
}

Result<void> NetworkState::read_addresses() {
  std::set<Addr> found;
  std::set<std::uint32_t> in_networks;
  auto ok = requests_.dump(
      RTM_GETADDR, [](nlmsghdr* request) { ask_for_family<ifaddrmsg>(request, AF_UNSPEC); },
      [&](const nlmsghdr* message) {
        const auto& about = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
        const std::size_t bytes = about.ifa_family == AF_INET ? 4 : 16;
        if (about.ifa_family != AF_INET && about.ifa_family != AF_INET6) return;
        if (about.ifa_scope == RT_SCOPE_UNIVERSE && about.ifa_prefixlen < bytes * 8) {
          in_networks.insert(about.ifa_index);
        }
        // On a point-to-point link IFA_ADDRESS is the peer and IFA_LOCAL ours (rtnetlink(7)).
        const auto* local = payload_of(message, sizeof(about), IFA_LOCAL, bytes);
        if (!local) local = payload_of(message, sizeof(about), IFA_ADDRESS, bytes);
        if (local) found.insert(to_addr(about.ifa_family, local));
      });
  if (!ok) return ok;
  addresses_ = std::move(found);
  network_ifindexes_ = std::move(in_networks);
  mark_interfaces();
  return {};
}

}  // namespace orb8
