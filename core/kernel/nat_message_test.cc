// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/nat_message.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

namespace orb8 {
namespace {

const Addr kClient = Addr::v4(10, 244, 0, 7);
const Addr kVip = Addr::v4(10, 96, 0, 10);
const Addr kPod = Addr::v4(10, 244, 0, 8);

class NatMessageTest : public testing::Test {
 protected:
  NatMessageTest() { start(IPCTNL_MSG_CT_NEW); }

  void start(std::uint8_t type) {
    header_ = mnl_nlmsg_put_header(buffer_.data());
    header_->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8U | type);
    mnl_nlmsg_put_extra_header(header_, sizeof(nfgenmsg));
  }

  void put(std::uint16_t type, const Addr& src, std::uint16_t src_port, const Addr& dst,
           std::uint16_t dst_port, bool ports = true) {
    auto* tuple = mnl_attr_nest_start(header_, type);
    auto* addrs = mnl_attr_nest_start(header_, CTA_TUPLE_IP);
    if (src.is_v4()) {
      mnl_attr_put(header_, CTA_IP_V4_SRC, 4, &src.bytes[12]);
      mnl_attr_put(header_, CTA_IP_V4_DST, 4, &dst.bytes[12]);
    } else {
      mnl_attr_put(header_, CTA_IP_V6_SRC, 16, src.bytes.data());
      mnl_attr_put(header_, CTA_IP_V6_DST, 16, dst.bytes.data());
    }
    mnl_attr_nest_end(header_, addrs);
    auto* protocol = mnl_attr_nest_start(header_, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(header_, CTA_PROTO_NUM, IPPROTO_TCP);
    if (ports) {
      mnl_attr_put_u16(header_, CTA_PROTO_SRC_PORT, htons(src_port));
      mnl_attr_put_u16(header_, CTA_PROTO_DST_PORT, htons(dst_port));
    }
    mnl_attr_nest_end(header_, protocol);
    mnl_attr_nest_end(header_, tuple);
  }

  std::optional<NatMessage> parsed() const { return parse_nat_message(header_); }

  alignas(nlmsghdr) std::array<char, 1024> buffer_ = {};
  nlmsghdr* header_ = nullptr;
};

TEST_F(NatMessageTest, TellsWhoAnswersForARewrittenAddress) {
  put(CTA_TUPLE_ORIG, kClient, 40000, kVip, 80);
  put(CTA_TUPLE_REPLY, kPod, 8080, kClient, 40000);
  const auto nat = parsed();
  ASSERT_TRUE(nat);
  EXPECT_EQ(nat->sent.src, kClient);
  EXPECT_EQ(nat->sent.dst, kVip);
  EXPECT_EQ(nat->sent.src_port, 40000);
  EXPECT_EQ(nat->sent.dst_port, 80);
  EXPECT_EQ(nat->sent.protocol, IPPROTO_TCP);
  EXPECT_EQ(nat->backend, (Backend{kPod, 8080}));
  EXPECT_FALSE(nat->destroyed);
}

TEST_F(NatMessageTest, ReadsIpv6) {
  put(CTA_TUPLE_ORIG, *parse_addr("fd00::7"), 40000, *parse_addr("fd01::a"), 80);
  put(CTA_TUPLE_REPLY, *parse_addr("fd00::8"), 8080, *parse_addr("fd00::7"), 40000);
  ASSERT_TRUE(parsed());
  EXPECT_EQ(parsed()->backend.addr, *parse_addr("fd00::8"));
}

TEST_F(NatMessageTest, SaysThatAConnectionIsOver) {
  start(IPCTNL_MSG_CT_DELETE);
  put(CTA_TUPLE_ORIG, kClient, 40000, kVip, 80);
  put(CTA_TUPLE_REPLY, kPod, 8080, kClient, 40000);
  EXPECT_TRUE(parsed()->destroyed);
}

TEST_F(NatMessageTest, TakesARewrittenPortForARewrittenDestination) {
  put(CTA_TUPLE_ORIG, kClient, 40000, kPod, 80);
  put(CTA_TUPLE_REPLY, kPod, 8080, kClient, 40000);
  EXPECT_EQ(parsed()->backend.port, 8080);
}

TEST_F(NatMessageTest, LeavesOutWhatGoesWhereItWasSentTo) {
  put(CTA_TUPLE_ORIG, kClient, 40000, kPod, 80);
  put(CTA_TUPLE_REPLY, kPod, 80, kVip, 50000);  // its source was rewritten
  EXPECT_FALSE(parsed());
}

TEST_F(NatMessageTest, LeavesOutWhatHasNoPortsOrNoReply) {
  put(CTA_TUPLE_ORIG, kClient, 0, kVip, 0, false);
  EXPECT_FALSE(parsed());
  put(CTA_TUPLE_REPLY, kPod, 0, kClient, 0, false);
  EXPECT_FALSE(parsed());
}

TEST_F(NatMessageTest, TakesNoHarmFromAMessageThatIsCutShort) {
  put(CTA_TUPLE_ORIG, kClient, 40000, kVip, 80);
  put(CTA_TUPLE_REPLY, kPod, 8080, kClient, 40000);
  const auto whole = header_->nlmsg_len;
  for (std::uint32_t length = sizeof(nlmsghdr); length < whole; length += NLA_ALIGNTO) {
    header_->nlmsg_len = length;
    EXPECT_FALSE(parsed()) << length;
  }
}

TEST_F(NatMessageTest, LeavesOutOtherSubsystems) {
  put(CTA_TUPLE_ORIG, kClient, 40000, kVip, 80);
  put(CTA_TUPLE_REPLY, kPod, 8080, kClient, 40000);
  header_->nlmsg_type = NFNL_SUBSYS_QUEUE << 8U;
  EXPECT_FALSE(parsed());
}

}  // namespace
}  // namespace orb8
