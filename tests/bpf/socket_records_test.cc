// Records of sockets as they become flows, by the clock of a probe.
// SPDX-License-Identifier: Apache-2.0
#include "core/source/socket_records.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>

#include "core/kernel/network_probes.h"
#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

const Addr kHere = Addr::v4(10, 0, 0, 1);
const Addr kThere = Addr::v4(10, 0, 0, 2);

orb8_socket_record listener(std::uint64_t cookie, std::uint32_t netns, std::uint16_t port,
                            const Addr& at = Addr::v4(0, 0, 0, 0)) {
  orb8_socket_record record = {};
  std::memcpy(record.tuple.laddr, at.bytes.data(), at.bytes.size());
  record.owner.cookie = cookie;
  record.owner.netns = netns;
  record.tuple.lport = port;
  record.kind = ORB8_LISTENS;
  return record;
}

orb8_socket_record socket(std::uint8_t protocol, const Addr& here, const Addr& there) {
  orb8_socket_record record = {};
  std::memcpy(record.tuple.laddr, here.bytes.data(), here.bytes.size());
  std::memcpy(record.tuple.raddr, there.bytes.data(), there.bytes.size());
  record.tuple.lport = 5000;
  record.tuple.rport = 443;
  record.tuple.proto = protocol;
  record.owner.cookie = 77;
  record.owner.netns = 4;
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  record.owner.first_ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000;
  record.sent = {.packets = 3, .bytes = 1000, .payload = 700};
  record.received = {.packets = 5, .bytes = 2000, .payload = 1700};
  record.kind = ORB8_SNAPSHOT;
  return record;
}

TEST(Listeners, KnowAPortAsLongAsOneOfItsSocketsListens) {
  Listeners listeners;
  listeners.add(listener(1, 4, 80));
  listeners.add(listener(2, 4, 80));  // SO_REUSEPORT
  listeners.add(listener(2, 4, 80));  // told twice: by the walk, and by the tracepoint
  listeners.remove(listener(1, 4, 80));
  EXPECT_TRUE(listeners.at(4, kHere, 80));
  listeners.remove(listener(2, 4, 80));
  EXPECT_FALSE(listeners.at(4, kHere, 80));
  listeners.remove(listener(2, 4, 80));
  EXPECT_FALSE(listeners.at(4, kHere, 80));
}

TEST(Listeners, KeepNetworkNamespacesApart) {
  Listeners listeners;
  listeners.add(listener(1, 4, 80));
  EXPECT_FALSE(listeners.at(5, kHere, 80));
  EXPECT_FALSE(listeners.at(4, kHere, 81));
}

TEST(Listeners, AcceptAtTheirAddressOrAtAllOfThem) {
  const auto v6 = *parse_addr("fd00::1");
  Listeners listeners;
  listeners.add(listener(1, 4, 80, kThere));
  EXPECT_TRUE(listeners.at(4, kThere, 80));
  EXPECT_FALSE(listeners.at(4, kHere, 80)) << "somebody's ephemeral port, maybe";
  listeners.add(listener(2, 4, 81));
  EXPECT_TRUE(listeners.at(4, kHere, 81));
  EXPECT_FALSE(listeners.at(4, v6, 81));
  listeners.add(listener(3, 4, 82, Addr{}));
  EXPECT_TRUE(listeners.at(4, v6, 82));
  EXPECT_TRUE(listeners.at(4, kHere, 82));
}

class SocketRecords : public ProbeRun {
 protected:
  void SetUp() override {
    ProbeRun::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    static const auto probes = NetworkProbes::load({.max_flows = 1});
    ASSERT_TRUE(probes) << probes.error().what;
    auto clock = BootClock::open(probes->clock_program_fd());
    ASSERT_TRUE(clock) << clock.error().what;
    clock_.emplace(*clock);
  }
  SocketFlows flows_of(const orb8_socket_record& record) const {
    return to_flows(record, *clock_, listeners_);
  }

  Listeners listeners_;
  std::optional<BootClock> clock_;
};

TEST_F(SocketRecords, AreOfTheListenersProcessWhereNobodySawThemOpen) {
  auto record = socket(IPPROTO_TCP, kHere, kThere);
  auto owner = listener(1, 4, 5000);
  owner.owner.pid = 4711;
  std::strcpy(owner.owner.comm, "nginx");
  EXPECT_EQ(flows_of(record).egress.pid, 0U);
  listeners_.add(owner);
  const auto accepted = flows_of(record).egress;
  EXPECT_EQ(accepted.pid, 4711U);
  EXPECT_STREQ(accepted.comm.data(), "nginx");
  EXPECT_EQ(accepted.socket.role, Role::kServer);
  record.owner.role = ORB8_ROLE_CLIENT;
  EXPECT_EQ(flows_of(record).egress.pid, 0U) << "it called from a port that listens too";
}

TEST_F(SocketRecords, BecomeAFlowForEachDirection) {
  const auto flows = flows_of(socket(IPPROTO_TCP, kHere, kThere));
  const FlowKey sent = {.src = kHere,
                        .dst = kThere,
                        .src_port = 5000,
                        .dst_port = 443,
                        .protocol = IPPROTO_TCP,
                        .direction = Direction::kEgress,
                        .socket = 77};
  const FlowKey received = {.src = kThere,
                            .dst = kHere,
                            .src_port = 443,
                            .dst_port = 5000,
                            .protocol = IPPROTO_TCP,
                            .direction = Direction::kIngress,
                            .socket = 77};
  EXPECT_EQ(flows.egress.key, sent);
  EXPECT_EQ(flows.egress.packets, 3U);
  EXPECT_EQ(flows.egress.bytes, 1000U);
  EXPECT_EQ(flows.egress.payload_bytes, 700U);
  EXPECT_EQ(flows.ingress.key, received);
  EXPECT_EQ(flows.ingress.packets, 5U);
  EXPECT_EQ(flows.ingress.bytes, 2000U);
  EXPECT_EQ(flows.ingress.payload_bytes, 1700U);
}

TEST_F(SocketRecords, KeepTypeAndCodeOfIcmpWhereTheyAre) {
  auto record = socket(IPPROTO_ICMP, kHere, kThere);
  record.tuple.lport = 8;
  record.tuple.rport = 0;
  const auto flows = flows_of(record);
  for (const auto& flow : {flows.egress, flows.ingress}) {
    EXPECT_EQ(flow.key.src_port, 8U);
    EXPECT_EQ(flow.key.dst_port, 0U);
    EXPECT_EQ(flow.payload_bytes, 0U);
  }
  EXPECT_EQ(flows.ingress.key.src, kThere);
}

TEST_F(SocketRecords, HaveThePayloadOfUdpThatTheHeadersLeave) {
  EXPECT_EQ(flows_of(socket(IPPROTO_UDP, kHere, kThere)).egress.payload_bytes, 1000U - 3 * 42);
  const auto v6 = socket(IPPROTO_UDP, *parse_addr("fd00::1"), *parse_addr("fd00::2"));
  EXPECT_EQ(flows_of(v6).egress.payload_bytes, 1000U - 3 * 62);
  EXPECT_EQ(flows_of(socket(IPPROTO_UDPLITE, kHere, kThere)).egress.payload_bytes, 1000U - 3 * 42);
  auto empty = socket(IPPROTO_UDP, kHere, kThere);
  empty.sent.bytes = 41;
  EXPECT_EQ(flows_of(empty).egress.payload_bytes, 0U) << "never less than nothing";
}

TEST_F(SocketRecords, SayHowTheFlowEnds) {
  auto record = socket(IPPROTO_TCP, kHere, kThere);
  EXPECT_EQ(flows_of(record).egress.life, FlowLife::kOpen);
  record.kind = ORB8_CLOSED;
  EXPECT_EQ(flows_of(record).egress.life, FlowLife::kClosed);
  EXPECT_EQ(flows_of(socket(IPPROTO_UDP, kHere, kThere)).egress.life, FlowLife::kByPackets);
}

TEST_F(SocketRecords, TakeTheRoleOfAnOldConnectionFromWhoListens) {
  auto record = socket(IPPROTO_TCP, kHere, kThere);
  EXPECT_EQ(flows_of(record).egress.socket.role, Role::kClient);
  listeners_.add(listener(1, record.owner.netns, record.tuple.lport));
  EXPECT_EQ(flows_of(record).egress.socket.role, Role::kServer);
  record.owner.role = ORB8_ROLE_CLIENT;  // seen when it opened
  EXPECT_EQ(flows_of(record).egress.socket.role, Role::kClient);
  record.tuple.proto = IPPROTO_UDP;
  EXPECT_EQ(flows_of(record).egress.socket.role, Role::kUnknown);
}

TEST_F(SocketRecords, KeepAnErrnoAndNothingElseForOne) {
  auto record = socket(IPPROTO_TCP, kHere, kThere);
  record.error = ECONNREFUSED;
  EXPECT_EQ(flows_of(record).egress.socket.error, ECONNREFUSED);
  record.error = -5;
  EXPECT_EQ(flows_of(record).egress.socket.error, 0U);
  record.error = 1000;
  EXPECT_EQ(flows_of(record).egress.socket.error, 255U);
}

TEST_F(SocketRecords, LetAPacketThatFoundNoRoomStandAlone) {
  auto record = socket(IPPROTO_UDP, kHere, kThere);
  EXPECT_EQ(flows_of(record).egress.incarnation, record.owner.first_ns);
  record.kind = ORB8_SPILL;
  record.sent.last_jiffies = clock_->jiffies() + 1000 * clock_->jiffies_per_second();
  const auto flow = flows_of(record).egress;
  EXPECT_EQ(flow.incarnation, 0U);
  EXPECT_EQ(flow.first_seen_ns, flow.last_seen_ns) << "not from when its socket opened";
}

TEST_F(SocketRecords, AreNotSeenLastBeforeTheyWereSeenFirst) {
  auto record = socket(IPPROTO_TCP, kHere, kThere);
  record.sent.last_jiffies = 1;
  const auto flow = flows_of(record).egress;
  EXPECT_EQ(flow.first_seen_ns, clock_->wall_ns(record.owner.first_ns));
  EXPECT_EQ(flow.last_seen_ns, flow.first_seen_ns);
}

}  // namespace
}  // namespace orb8
