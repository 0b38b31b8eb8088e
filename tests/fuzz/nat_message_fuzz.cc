// A message of ctnetlink's: whatever it holds, nothing beyond its end is read, and a connection
// comes out of it only where its destination was rewritten. And one built from the same bytes: the
// parser finds what it was made of.
// SPDX-License-Identifier: Apache-2.0
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "core/kernel/nat_message.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

void require(bool held) {
  if (!held) std::abort();
}

bool same(const std::optional<orb8::NatMessage>& one,
          const std::optional<orb8::NatMessage>& other) {
  if (!one || !other) return !one && !other;
  return one->sent == other->sent && one->backend == other->backend &&
         one->destroyed == other->destroyed;
}

// The header has the length that there is: whoever calls the parser has made sure of it. Messages
// are received in whole words, and libmnl reads the last one to its end. The bytes are a vector of
// their own, so that the address sanitizer watches their end; `behind` them there are others.
std::optional<orb8::NatMessage> parse(Bytes message, std::size_t behind) {
  const auto length = static_cast<std::uint32_t>(message.size());
  message.resize(MNL_ALIGN(length));
  message.resize(message.size() + behind, 0xff);
  message.shrink_to_fit();
  auto* const header = reinterpret_cast<nlmsghdr*>(message.data());
  header->nlmsg_len = length;
  return orb8::parse_nat_message(header);
}

void check_as_it_comes(const Bytes& message) {
  if (message.size() < sizeof(nlmsghdr)) return;
  const auto nat = parse(message, 0);
  require(same(parse(message, 64), nat));
  if (!nat) return;
  require(nat->backend.addr != nat->sent.dst || nat->backend.port != nat->sent.dst_port);
  require(nat->sent.socket == 0);
}

struct Side {
  orb8::Addr src, dst;
  std::uint16_t src_port = 0, dst_port = 0;
};

void put_port(nlmsghdr* message, std::uint16_t type, std::uint16_t port) {
  mnl_attr_put_u16(message, type, htons(port));
}

void put_side(nlmsghdr* message, std::uint16_t type, const Side& side, bool v6) {
  auto* tuple = mnl_attr_nest_start(message, type);
  auto* addrs = mnl_attr_nest_start(message, CTA_TUPLE_IP);
  const std::size_t from = v6 ? 0 : 12;
  const std::size_t size = side.src.bytes.size() - from;
  mnl_attr_put(message, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, size, &side.src.bytes.at(from));
  mnl_attr_put(message, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, size, &side.dst.bytes.at(from));
  mnl_attr_nest_end(message, addrs);
  auto* protocol = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
  mnl_attr_put_u8(message, CTA_PROTO_NUM, IPPROTO_TCP);
  put_port(message, CTA_PROTO_SRC_PORT, side.src_port);
  put_port(message, CTA_PROTO_DST_PORT, side.dst_port);
  mnl_attr_nest_end(message, protocol);
  mnl_attr_nest_end(message, tuple);
}

void check_as_it_is_built(const Bytes& choices) {
  std::size_t at = 0;
  const auto next = [&] { return at < choices.size() ? choices[at++] : std::uint8_t{0}; };
  const bool v6 = (next() & 1U) != 0;
  const auto addr = [&] {
    auto made = orb8::Addr::v4(0, 0, 0, 0);
    std::for_each(made.bytes.begin() + (v6 ? 0 : 12), made.bytes.end(),
                  [&](auto& b) { b = next(); });
    return made;
  };
  const auto side = [&] {
    return Side{.src = addr(),
                .dst = addr(),
                .src_port = static_cast<std::uint16_t>(next() << 8U | next()),
                .dst_port = static_cast<std::uint16_t>(next() << 8U | next())};
  };
  const auto sent = side();
  const auto reply = side();
  alignas(nlmsghdr) std::array<char, 512> buffer = {};
  auto* const message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_NEW;
  mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg));
  put_side(message, CTA_TUPLE_ORIG, sent, v6);
  put_side(message, CTA_TUPLE_REPLY, reply, v6);
  const auto nat = orb8::parse_nat_message(message);
  const bool rewritten = reply.src != sent.dst || reply.src_port != sent.dst_port;
  require(nat.has_value() == rewritten);
  if (!nat) return;
  require(nat->sent.src == sent.src && nat->sent.dst == sent.dst);
  require(nat->sent.src_port == sent.src_port && nat->sent.dst_port == sent.dst_port);
  require(nat->backend == orb8::Backend{reply.src, reply.src_port} && !nat->destroyed);
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  const Bytes bytes(data, data + size);
  check_as_it_comes(bytes);
  check_as_it_is_built(bytes);
  return 0;
}
