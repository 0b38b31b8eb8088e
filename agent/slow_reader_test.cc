// Clients that read slowly, or not at all: what becomes of their events, of others', and of the
// shutdown.
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/scripted_agent.h"
#include "core/base/clock.h"
#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// A packet that is told from the others by its port.
Event packet(std::uint64_t number) {
  Event event;
  event.kind = EventKind::kPacket;
  event.flow.key.protocol = IPPROTO_UDP;
  event.flow.key.src_port = static_cast<std::uint16_t>(number);
  return event;
}

std::unique_ptr<v1::OrbitAgentService::Stub> narrow_stub(const ScriptedAgent& agent) {
  grpc::ChannelArguments narrow;
  narrow.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 1024);
  narrow.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return v1::OrbitAgentService::NewStub(agent.connect(narrow));
}

v1::StreamEventsRequest for_packets() {
  v1::StreamEventsRequest request;
  request.set_packets(true);
  return request;
}

// A stream of packets over a connection that takes in little of what is not read.
class PacketStream {
 public:
  explicit PacketStream(const ScriptedAgent& agent)
      : stub_(narrow_stub(agent)), reader_(stub_->StreamEvents(&context_, for_packets())) {
    reader_->WaitForInitialMetadata();
  }

  bool read(v1::NetworkEvent& event) { return reader_->Read(&event); }
  grpc::Status finish() { return reader_->Finish(); }
  grpc::Status cancel() {
    context_.TryCancel();
    return finish();
  }

 private:
  std::unique_ptr<v1::OrbitAgentService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::NetworkEvent>> reader_;
};

// The same in batches, which are taken apart.
class PacketBatchStream {
 public:
  explicit PacketBatchStream(const ScriptedAgent& agent)
      : stub_(narrow_stub(agent)), reader_(stub_->StreamEventBatches(&context_, for_packets())) {
    reader_->WaitForInitialMetadata();
  }

  bool read(v1::NetworkEvent& event) {
    if (next_ == batch_.events_size()) {
      if (!reader_->Read(&batch_)) return false;
      next_ = 0;
    }
    event = batch_.events(next_++);
    return true;
  }
  grpc::Status cancel() {
    context_.TryCancel();
    return reader_->Finish();
  }

 private:
  std::unique_ptr<v1::OrbitAgentService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::EventBatch>> reader_;
  v1::EventBatch batch_;
  int next_ = 0;
};

class SlowReaderTest : public ::testing::Test {
 protected:
  SlowReaderTest() {
    agent_.config.broadcast_channel_size = 10;
    agent_.start();
  }

  std::uint64_t drops() const { return agent_.pipeline->status().subscriber_drops; }

  // Sends until somebody's queue overflows; how many that were.
  std::uint64_t send_until_lost() {
    std::uint64_t sent = 0;
    EXPECT_TRUE(eventually([&] {
      agent_.script.send_packet(packet(sent++));
      return drops() > 0;
    }));
    return sent;
  }

  template <class Stream>
  void expect_to_be_told_of_the_loss() {
    Stream slow(agent_);
    const auto sent = send_until_lost();
    std::uint64_t got = 0;
    std::uint64_t lost = 0;
    v1::NetworkEvent event;
    while (got + lost < sent && slow.read(event)) {
      ++got;
      lost += event.dropped_before();
      EXPECT_EQ(event.src_port(), (got + lost - 1) & 0xffffU)
          << "the gap is where it is said to be";
    }
    EXPECT_GT(lost, 0U);
    EXPECT_EQ(got + lost, sent);
    EXPECT_EQ(lost, drops());
    slow.cancel();
  }

  ScriptedAgent agent_;
};

TEST_F(SlowReaderTest, IsToldHowManyItLostAndLosesNoOthers) {
  expect_to_be_told_of_the_loss<PacketStream>();
}

TEST_F(SlowReaderTest, IsToldHowManyItLostOfBatchesToo) {
  expect_to_be_told_of_the_loss<PacketBatchStream>();
}

TEST_F(SlowReaderTest, HarmsNobodyElse) {
  PacketStream slow(agent_);
  PacketStream quick(agent_);
  // The quick one's queue never holds more than one packet: all drops are the slow one's.
  const auto end = Clock::now() + ScriptedAgent::kPatience;
  std::uint64_t sent = 0;
  while (drops() == 0 && Clock::now() < end) {
    agent_.script.send_packet(packet(sent));
    v1::NetworkEvent event;
    ASSERT_TRUE(quick.read(event));
    ASSERT_EQ(event.src_port(), sent++ & 0xffffU);
    ASSERT_EQ(event.dropped_before(), 0U);
  }
  EXPECT_GT(drops(), 0U);
  quick.cancel();
  slow.cancel();
}

// A stream of what has been, over such a connection.
class Replay {
 public:
  explicit Replay(const ScriptedAgent& agent) : stub_(narrow_stub(agent)) {
    v1::StreamEventsRequest request;
    request.set_all(true);
    request.set_end_after_history(true);
    reader_ = stub_->StreamEvents(&context_, request);
    reader_->WaitForInitialMetadata();
  }

  // How many events there are, and how it ends.
  std::pair<int, grpc::Status> finish() {
    int events = 0;
    for (v1::NetworkEvent event; reader_->Read(&event);) ++events;
    return {events, reader_->Finish()};
  }

 private:
  std::unique_ptr<v1::OrbitAgentService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::NetworkEvent>> reader_;
};

TEST_F(SlowReaderTest, HasToWaitForTheHistoryWhileFourOthersReadIt) {
  constexpr int kFlows = 5000;  // more than the connection takes in
  FlowRecord record;
  record.key.protocol = IPPROTO_UDP;
  record.packets = record.incarnation = 1;
  record.last_seen_ns = wall_now_ns();
  for (record.key.src_port = 1; record.key.src_port <= kFlows; ++record.key.src_port) {
    agent_.script.set_flow(record);
  }
  ASSERT_TRUE(eventually([&] { return agent_.pipeline->status().active_flows == kFlows; }));
  std::vector<std::unique_ptr<Replay>> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(std::make_unique<Replay>(agent_));
  const auto [none, refused] = Replay(agent_).finish();
  EXPECT_EQ(none, 0);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.error_message(), "4 streams read the history already: ask again");
  // Who reads to the end makes room.
  const auto [events, ended] = slow.front()->finish();
  EXPECT_EQ(events, kFlows);
  EXPECT_TRUE(ended.ok()) << ended.error_message();
  EXPECT_EQ(Replay(agent_).finish().first, kFlows);
  slow.erase(slow.begin());
  for (const auto& replay : slow) EXPECT_EQ(replay->finish().first, kFlows);
}

TEST_F(SlowReaderTest, DoesNotHoldUpTheShutdown) {
  PacketStream stuck(agent_);
  send_until_lost();  // the server's thread sits in a write
  const auto start = Clock::now();
  agent_.stop(200ms);
  EXPECT_LT(Clock::now() - start, 5s);
  v1::NetworkEvent event;
  while (stuck.read(event)) {
  }
  EXPECT_FALSE(stuck.finish().ok());
}

TEST_F(SlowReaderTest, ReadsWhatIsQueuedWhileTheAgentStops) {
  PacketStream stream(agent_);
  for (std::uint64_t i = 0; i < 5; ++i) agent_.script.send_packet(packet(i));
  agent_.pipeline->stop();
  v1::NetworkEvent event;
  for (std::uint32_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(stream.read(event));
    EXPECT_EQ(event.src_port(), i);
  }
  EXPECT_FALSE(stream.read(event));
  EXPECT_EQ(stream.finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SlowReaderTest, MayHaveSaidNothingOrHalfAWordBeforeTheShutdown) {
  std::vector<UniqueFd> silent;
  for (const std::string_view words : {"", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
    const UniqueFd& socket = silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(agent_.server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_GE(::send(socket.get(), words.data(), words.size(), MSG_NOSIGNAL), 0);
  }
  const auto start = Clock::now();
  agent_.stop(200ms);
  agent_.server.reset();
  EXPECT_LT(Clock::now() - start, 5s);
}

}  // namespace
}  // namespace orb8
