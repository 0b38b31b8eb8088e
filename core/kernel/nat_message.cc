// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/nat_message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cstring>

#include "core/kernel/netlink.h"

namespace orb8 {
namespace {

struct Tuple {
  Addr src;
  Addr dst;
  std::uint16_t src_port = 0;
  std::uint16_t dst_port = 0;
  std::uint8_t protocol = 0;
  int found = 0;  // of the five
};
constexpr int kWhole = 5;

template <class T>
bool read(const nlattr* attr, T& out) {
  if (mnl_attr_get_payload_len(attr) < sizeof(out)) return false;
  std::memcpy(&out, mnl_attr_get_payload(attr), sizeof(out));
  return true;
}

void read_addr(const nlattr* attr, bool v6, Addr& out, int& found) {
  std::array<std::uint8_t, 4> v4 = {};
  if (v6 ? read(attr, out.bytes) : read(attr, v4)) ++found;
  if (!v6) out = Addr::v4(v4[0], v4[1], v4[2], v4[3]);
}

void read_port(const nlattr* attr, std::uint16_t& out, int& found) {
  std::uint16_t port_be = 0;
  if (!read(attr, port_be)) return;
  out = ntohs(port_be);
  ++found;
}

void read_addrs(const nlattr* attr, Tuple& tuple) {
  switch (mnl_attr_get_type(attr)) {
    case CTA_IP_V4_SRC:
    case CTA_IP_V6_SRC:
      return read_addr(attr, mnl_attr_get_type(attr) == CTA_IP_V6_SRC, tuple.src, tuple.found);
    case CTA_IP_V4_DST:
    case CTA_IP_V6_DST:
      return read_addr(attr, mnl_attr_get_type(attr) == CTA_IP_V6_DST, tuple.dst, tuple.found);
    default:
      return;
  }
}

void read_protocol(const nlattr* attr, Tuple& tuple) {
  switch (mnl_attr_get_type(attr)) {
    case CTA_PROTO_NUM:
      if (read(attr, tuple.protocol)) ++tuple.found;
      return;
    case CTA_PROTO_SRC_PORT:
      return read_port(attr, tuple.src_port, tuple.found);
    case CTA_PROTO_DST_PORT:
      return read_port(attr, tuple.dst_port, tuple.found);
    default:
      return;
  }
}

Tuple read_tuple(const nlattr* outer) {
  Tuple tuple;
  for_each_nested_attr(outer, [&](const nlattr* part) {
    const auto type = mnl_attr_get_type(part);
    if (type == CTA_TUPLE_IP) {
      for_each_nested_attr(part, [&](const nlattr* attr) { read_addrs(attr, tuple); });
    } else if (type == CTA_TUPLE_PROTO) {
      for_each_nested_attr(part, [&](const nlattr* attr) { read_protocol(attr, tuple); });
    }
  });
  return tuple;
}

}  // namespace

std::optional<NatMessage> parse_nat_message(const nlmsghdr* message) {
  if (message->nlmsg_type >> 8U != NFNL_SUBSYS_CTNETLINK) return std::nullopt;
  if (mnl_nlmsg_get_payload_len(message) < sizeof(nfgenmsg)) return std::nullopt;
  Tuple sent;
  Tuple reply;
  for_each_attr(message, sizeof(nfgenmsg), [&](const nlattr* attr) {
    if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG) sent = read_tuple(attr);
    if (mnl_attr_get_type(attr) == CTA_TUPLE_REPLY) reply = read_tuple(attr);
  });
  if (sent.found != kWhole || reply.found != kWhole) return std::nullopt;
  // Whoever answers is where it went; sources are rewritten too, which is of no interest here.
  if (reply.src == sent.dst && reply.src_port == sent.dst_port) return std::nullopt;
  NatMessage nat;
  nat.sent.src = sent.src;
  nat.sent.dst = sent.dst;
  nat.sent.src_port = sent.src_port;
  nat.sent.dst_port = sent.dst_port;
  nat.sent.protocol = sent.protocol;
  nat.backend = {.addr = reply.src, .port = reply.src_port};
  nat.destroyed = (message->nlmsg_type & 0xffU) == IPCTNL_MSG_CT_DELETE;
  return nat;
}

}  // namespace orb8
