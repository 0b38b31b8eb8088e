// The whole data path from the sockets on: probes, source, flow table, streams.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/pipeline/pipeline.h"
#include "tests/netns/late_reader.h"
#include "tests/netns/socket_watcher.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::uint32_t kLeastRing = 4096;  // a page
constexpr std::uint32_t kRingHolds = 19;    // last records
constexpr std::uint16_t kConnections = 100;
constexpr std::uint16_t kFirstPort = 20'000;

Config config() {
  Config config;
  config.kube = KubeChoice::kOff;
  config.flow_source = FlowSourceChoice::kSocket;
  config.snapshot_interval_ms = 50;
  config.poll_interval_ms = 10;
  config.broadcast_channel_size = 100'000;
  return config;
}

// A flow as one network namespace sees it: the key with the namespace in the socket's place.
FlowKey view(const NetNs& ns, const Ends& ends, std::uint8_t protocol, Direction direction) {
  auto key = ends.flow(protocol, direction);
  key.socket = netns_inode(ns);
  return key;
}

FlowKey view_of(const Flow& flow) {
  auto key = flow.key;
  key.socket = flow.socket.netns;
  return key;
}

// What a stream tells of each view.
struct Told {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t payload_bytes = 0;  // at the last event
  int starts = 0;
  int ends = 0;
};

using ToldViews = std::unordered_map<FlowKey, Told, FlowKeyHash>;

void take(Subscription& stream, ToldViews& told) {
  for (const auto& event : stream.next(std::chrono::milliseconds(20)).events) {
    auto& view = told[view_of(event.flow)];
    view.payload_bytes = event.flow.payload_bytes;
    view.starts += event.kind == EventKind::kFlowStart ? 1 : 0;
    view.ends += event.kind == EventKind::kFlowEnd && event.end_reason == EndReason::kClosed;
    if (event.kind == EventKind::kFlowEnd) continue;
    view.packets += event.packets;
    view.bytes += event.bytes;
  }
}

TEST_F(SocketSourceTest, TellsAStreamAllOfAConnectionAndOfItsEnd) {
  const TwoHosts net;
  net.up(true);
  auto pipeline = Pipeline::start(config());
  ASSERT_TRUE(pipeline) << pipeline.error().what;
  auto stream = (*pipeline)->subscribe({.all = {.either = {.ports = {{kPort, kPort}}}}}, false);
  ASSERT_TRUE(stream);
  const Ends ends{net.a.v4(), 5000, net.b.v4(), kPort};
  const auto outcome = transfer_tcp(net.a.ns, net.b.ns, ends, 3'000'000, 1000);
  UdpSink sink(net.b.ns, ends.dst, kPort);
  UdpSender(net.a.ns, ends).send(200, 100);
  ASSERT_EQ(sink.receive(200), 200U);

  ToldViews told;
  const auto sent = view(net.a.ns, ends, kTcp, Direction::kEgress);
  const auto received = view(net.b.ns, ends, kTcp, Direction::kIngress);
  const auto datagrams = view(net.b.ns, ends, kUdp, Direction::kIngress);
  EXPECT_TRUE(eventually([&] {
    take(*stream, told);
    return told[sent].ends > 0 && told[received].ends > 0 && told[datagrams].packets == 200;
  }));
  EXPECT_EQ(told[sent].packets, outcome.client.tcpi_segs_out);
  EXPECT_EQ(told[received].packets, outcome.server.tcpi_segs_in);
  EXPECT_EQ(told[datagrams].bytes, 200 * udp_frame(ends.dst, 100));
  for (const auto& one : {sent, received}) {
    EXPECT_EQ(told[one].payload_bytes, 3'000'000U);
    EXPECT_EQ(told[one].starts, 1);
    EXPECT_EQ(told[one].ends, 1);
  }
  EXPECT_EQ(told[datagrams].ends, 0) << "the sink is open";
  EXPECT_EQ((*pipeline)->status().source.name, "socket");
}

// The last record of a socket is lost where the ring is full. What it had moved is in its flow, and
// the flow's end is found by looking at which sockets are left.
TEST_F(SocketSourceTest, ClosesFlowsWhoseLastWordsFoundNoRoom) {
  const TwoHosts net;
  net.up(true);
  std::atomic<bool> late = false;
  auto source = SocketSource::open({.udp = false, .ring_bytes = kLeastRing});
  ASSERT_TRUE(source) << source.error().what;
  auto pipeline = Pipeline::start(config(), std::make_unique<LateReader>(std::move(*source), late));
  ASSERT_TRUE(pipeline) << pipeline.error().what;
  auto stream = (*pipeline)->subscribe({.all = {.either = {.ports = {{kPort, kPort}}}}}, false);
  ASSERT_TRUE(stream);

  const auto listener = bound_socket(net.b.ns, SOCK_STREAM, 0, net.b.v4(), kPort);
  must(::listen(listener.get(), kConnections), "listen");
  std::vector<UniqueFd> open;
  std::vector<FlowKey> views;
  for (std::uint16_t i = 0; i < kConnections; ++i) {
    const Ends ends{net.a.v4(), static_cast<std::uint16_t>(kFirstPort + i), net.b.v4(), kPort};
    open.push_back(bound_socket(net.a.ns, SOCK_STREAM, 0, ends.src, ends.src_port));
    connect_to(open.back().get(), ends.dst, ends.dst_port);
    open.emplace_back(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    Connection::send(open[open.size() - 2], open.back(), 1000U + i);
    views.push_back(view(net.a.ns, ends, kTcp, Direction::kEgress));
    views.push_back(view(net.b.ns, ends, kTcp, Direction::kIngress));
  }
  ToldViews told;
  const auto all = [&](const auto& ready) {
    return eventually([&] {
      take(*stream, told);
      return std::ranges::all_of(views, ready);
    });
  };
  const auto payload = [](const FlowKey& one) { return 1000U + (one.src_port - kFirstPort); };
  ASSERT_TRUE(all([&](const FlowKey& one) { return told[one].payload_bytes == payload(one); }));

  late = true;
  open.clear();
  late = false;
  EXPECT_TRUE(all([&](const FlowKey& one) { return told[one].ends > 0; }));
  for (const auto& one : views) {
    EXPECT_EQ(told[one].ends, 1) << one.src_port;
    EXPECT_EQ(told[one].payload_bytes, payload(one)) << one.src_port;
  }
  // Each socket had a segment at least that its last record alone would have told: a FIN.
  Status status;
  EXPECT_TRUE(eventually([&] {
    status = (*pipeline)->status();
    return status.source.accounting.lost.packets >= 2U * kConnections - kRingHolds;
  })) << status.source.accounting.lost.packets;
  EXPECT_EQ(status.events_dropped, status.source.accounting.lost.packets);
  EXPECT_FALSE(status.healthy());
}

// Hears of no end, as where no program ran for it.
class DeafReader final : public LateReader {
 public:
  using LateReader::LateReader;

  std::size_t handle_ready(std::size_t most, const RecordFn& record,
                           const PacketFn& packet) override {
    const auto open_only = [&](const FlowRecord& one) {
      if (one.life != FlowLife::kClosed) record(one);
    };
    return source().handle_ready(most, open_only, packet);
  }
};

TEST_F(SocketSourceTest, ClosesFlowsWhoseEndNobodySaw) {
  const TwoHosts net;
  net.up(true);
  const std::atomic<bool> never = false;
  auto source = SocketSource::open({.udp = false, .census_every_ns = 0});
  ASSERT_TRUE(source) << source.error().what;
  auto pipeline =
      Pipeline::start(config(), std::make_unique<DeafReader>(std::move(*source), never));
  ASSERT_TRUE(pipeline) << pipeline.error().what;
  auto stream = (*pipeline)->subscribe({}, false);
  ASSERT_TRUE(stream);
  const auto ends_at = [&](std::uint16_t at) {
    return Ends{net.a.v4(), static_cast<std::uint16_t>(kFirstPort + at), net.b.v4(),
                static_cast<std::uint16_t>(kPort + at)};
  };
  auto closing = std::make_unique<Connection>(net.a.ns, net.b.ns, ends_at(0));
  const Connection staying(net.a.ns, net.b.ns, ends_at(1));
  const auto gone = view(net.a.ns, ends_at(0), kTcp, Direction::kEgress);
  const auto stays = view(net.a.ns, ends_at(1), kTcp, Direction::kEgress);
  ToldViews told;
  const auto becomes = [&](const auto& ready) {
    return eventually([&] {
      take(*stream, told);
      return ready();
    });
  };
  ASSERT_TRUE(becomes([&] { return told[gone].starts == 1 && told[stays].starts == 1; }));
  closing.reset();
  EXPECT_TRUE(becomes([&] { return told[gone].ends == 1; }));
  EXPECT_EQ(told[stays].ends, 0);
  EXPECT_TRUE(eventually([&] { return (*pipeline)->status().flows_ended_unseen > 0; }));
}

}  // namespace
}  // namespace orb8::netns
