// The whole data path on real traffic: probes, source, flow table, streams.
// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "tests/netns/netns_fixture.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(kDeadline);

class PipelineNetnsTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<TwoHosts>();
  }

  void start(std::vector<std::string> interfaces = {"eth0"}) {
    Config config;
    config.kube = KubeChoice::kOff;
    config.interfaces = std::move(interfaces);
    config.snapshot_interval_ms = 50;
    config.poll_interval_ms = 10;
    config.flow_timeout_secs = 1;
    config.expiration_interval_secs = 1;
    config.broadcast_channel_size = 100'000;
    const auto here = b().ns.enter();  // and so is the pipeline's thread
    auto pipeline = Pipeline::start(config);
    ASSERT_TRUE(pipeline) << pipeline.error().what;
    pipeline_ = std::move(*pipeline);
    net_->up();
  }

  const Host& a() const { return net_->a; }
  const Host& b() const { return net_->b; }
  Pipeline& pipeline() const { return *pipeline_; }
  Ends to_b(std::uint16_t port, int family = AF_INET) const {
    return {a().addr(family), 5000, b().addr(family), port};
  }
  Totals send(const Ends& ends, std::size_t count) const {
    UdpSink sink(b().ns, ends.dst, ends.dst_port);
    UdpSender(a().ns, ends).send(count, 100);
    EXPECT_EQ(sink.receive(count), count);
    return Totals{1, udp_frame(ends.src, 100)} * count;
  }
  Totals in_table(const FlowKey& key) const {
    Totals totals;
    pipeline().flows()->for_each([&](const Flow& flow) {
      if (flow.key == key) totals += {flow.packets, flow.bytes};
    });
    return totals;
  }

 private:
  std::unique_ptr<TwoHosts> net_;
  std::unique_ptr<Pipeline> pipeline_;
};

TEST_F(PipelineNetnsTest, ShowsFlowsAsTheyWereSentUpToTheLastPacketBeforeItsEnd) {
  start();
  const auto v4 = send(to_b(7000), 500);
  EXPECT_EQ(settled([&] { return in_table(to_b(7000).flow(kUdp, Direction::kIngress)); }, v4), v4);
  // These come by the snapshot that the end takes.
  const auto v6 = send(to_b(7000, AF_INET6), 300);
  pipeline().stop();
  EXPECT_EQ(in_table(to_b(7000, AF_INET6).flow(kUdp, Direction::kIngress)), v6);
}

TEST_F(PipelineNetnsTest, TellsAStreamAllThatMovedAndThatTheFlowEnded) {
  start();
  auto stream = pipeline().subscribe({.all = {.either = {.ports = {{7000, 7000}}}}}, false);
  ASSERT_TRUE(stream);
  Totals sent;
  Totals told;
  std::map<EventKind, std::size_t> kinds;
  const auto take = [&] {
    for (const auto& event : stream->next(std::chrono::milliseconds(20)).events) {
      ++kinds[event.kind];
      if (event.kind != EventKind::kFlowEnd) told += {event.packets, event.bytes};
    }
  };
  for (int i = 0; i < 10; ++i) {
    sent += send(to_b(7000), 100);
    take();
  }
  EXPECT_TRUE(eventually([&] { return take(), kinds[EventKind::kFlowEnd] == 1; }));
  EXPECT_EQ(told, sent);
  EXPECT_EQ(kinds[EventKind::kFlowStart], 1U);
  EXPECT_EQ(in_table(to_b(7000).flow(kUdp, Direction::kIngress)), Totals{}) << "it is idle";

  sent += send(to_b(7000), 5);  // and starts anew
  EXPECT_TRUE(eventually([&] { return take(), told == sent; }));
  EXPECT_EQ(kinds[EventKind::kFlowStart], 2U);
}

TEST_F(PipelineNetnsTest, SendsPacketsWhileSomebodyListens) {
  start();
  send(to_b(7000), 50);
  {
    auto stream = pipeline().subscribe({.all = {.either = {.ports = {{7000, 7000}}}}}, true);
    ASSERT_TRUE(stream);
    // The pipeline's thread tells the kernel what is wanted: the first packets may be earlier.
    ASSERT_TRUE(eventually([&] {
      send(to_b(7000), 1);
      return !stream->next(std::chrono::milliseconds(50)).events.empty();
    }));
    Totals told;
    send(to_b(7001), 20);
    const auto sent = send(to_b(7000), 200);
    while (told < sent) {
      const auto batch = stream->next(kPatience);
      ASSERT_FALSE(batch.events.empty());
      for (const auto& event : batch.events) {
        EXPECT_EQ(event.kind, EventKind::kPacket);
        EXPECT_EQ(event.flow.key, to_b(7000).flow(kUdp, Direction::kIngress));
        told += {event.packets, event.bytes};
      }
    }
    EXPECT_EQ(stream->dropped(), 0U);
  }
  const auto events = [this] { return pipeline().status().source.accounting.packet_events; };
  EXPECT_TRUE(eventually([&] {
    const auto before = events();
    const auto counted = pipeline().status().source.accounting.counted.packets;
    send(to_b(7000), 10);
    EXPECT_TRUE(eventually(
        [&] { return pipeline().status().source.accounting.counted.packets >= counted + 10; }));
    return events() == before;
  })) << "events go on though nobody listens";
}

TEST_F(PipelineNetnsTest, FollowsInterfacesAtOnce) {
  start({"eth0", "pod*"});
  const auto programs = [this] { return pipeline().status().source.programs.size(); };
  EXPECT_EQ(programs(), 2U);
  b().ns.sh("ip link add pod1 type veth peer name other");
  EXPECT_TRUE(eventually([&] { return programs() == 4; }));
  b().ns.sh("ip link del pod1");
  EXPECT_TRUE(eventually([&] { return programs() == 2; }));
}

}  // namespace
}  // namespace orb8::netns
