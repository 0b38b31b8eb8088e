// SPDX-License-Identifier: Apache-2.0
#include "agent/flow_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <chrono>
#include <thread>

#include "agent/grpc_server.h"
#include "core/source/scripted_source.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto kPatience = 20s;

FlowRecord record(std::uint16_t port, std::uint64_t bytes) {
  return {.key = {.src = Addr::v4(10, 0, 0, 1),
                  .dst = Addr::v4(10, 0, 0, 2),
                  .src_port = port,
                  .dst_port = 80,
                  .protocol = IPPROTO_TCP},
          .packets = 1,
          .bytes = bytes,
          .incarnation = 1,
          .first_seen_ns = 1'700'000'000'000'000'000,
          .last_seen_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count()};
}

// The service behind a real server, asked by a real client.
class FlowServiceTest : public ::testing::Test {
 protected:
  void start() {
    config_.grpc_address = "127.0.0.1";
    config_.grpc_port = 0;
    config_.snapshot_interval_ms = 100;
    config_.max_query_limit = 3;
    pipeline_ = *Pipeline::start(config_, std::make_unique<ScriptedSource>(script_));
    service_ = std::make_unique<FlowService>(*pipeline_, NodeInfo{"node-1", "1.2.3"},
                                             config_.max_query_limit);
    server_ = *GrpcServer::start(config_, *service_);
    const auto target = "127.0.0.1:" + std::to_string(server_->port());
    stub_ = v1::OrbitAgentService::NewStub(
        grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    pipeline_->stop();
    server_->stop(std::chrono::system_clock::now() + kPatience);
  }

  grpc::Status query(const v1::QueryFlowsRequest& request, v1::QueryFlowsResponse& answer) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    return stub_->QueryFlows(&context, request, &answer);
  }

  Config config_;
  Script script_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<FlowService> service_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<v1::OrbitAgentService::Stub> stub_;
};

TEST_F(FlowServiceTest, AnswersWithTheLargestFlowsFirst) {
  for (std::uint16_t port = 1; port <= 5; ++port)
    script_.set_flow(record(port, std::uint64_t{10} * port));
  start();
  v1::QueryFlowsResponse answer;
  v1::QueryFlowsRequest request;
  request.set_limit(2);
  ASSERT_TRUE(query(request, answer).ok());
  ASSERT_EQ(answer.flows_size(), 2);
  EXPECT_EQ(answer.flows(0).bytes(), 50U);
  EXPECT_EQ(answer.flows(1).bytes(), 40U);
  EXPECT_EQ(answer.flows(0).namespace_(), "external");
  EXPECT_EQ(answer.flows(0).pod_name(), "unknown");
  EXPECT_EQ(answer.matched(), 5U);
}

TEST_F(FlowServiceTest, TakesLimitZeroAndALargerOneForTheConfiguredMaximum) {
  for (std::uint16_t port = 1; port <= 5; ++port)
    script_.set_flow(record(port, std::uint64_t{10} * port));
  start();
  for (const std::uint32_t limit : {0U, 4U, UINT32_MAX}) {
    v1::QueryFlowsResponse answer;
    v1::QueryFlowsRequest request;
    request.set_limit(limit);
    ASSERT_TRUE(query(request, answer).ok());
    EXPECT_EQ(answer.flows_size(), 3) << limit;
  }
}

TEST_F(FlowServiceTest, RefusesAWrongRequestInWords) {
  start();
  v1::QueryFlowsResponse answer;
  v1::QueryFlowsRequest request;
  request.mutable_filter()->add_ips("10.0.0.300");
  const auto status = query(request, answer);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("filter.ips: '10.0.0.300' is not allowed"));

  grpc::ClientContext context;
  v1::StreamEventsRequest stream;
  stream.mutable_filter()->add_protocols("tpc");
  auto reader = stub_->StreamEvents(&context, stream);
  v1::NetworkEvent event;
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(FlowServiceTest, StreamsWhatHappensUntilTheClientHasEnough) {
  start();
  grpc::ClientContext context;
  auto reader = stub_->StreamEvents(&context, {});
  reader->WaitForInitialMetadata();
  script_.set_flow(record(7, 70));
  v1::NetworkEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.type(), v1::EVENT_TYPE_FLOW_START);
  EXPECT_EQ(event.src_port(), 7U);
  EXPECT_EQ(event.bytes(), 70U);
  context.TryCancel();
  reader->Finish();
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (pipeline_->status().subscribers > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(pipeline_->status().subscribers, 0U) << "the server noticed that the client went";
}

TEST_F(FlowServiceTest, EndsStreamsWhenThePipelineStops) {
  start();
  grpc::ClientContext context;
  auto reader = stub_->StreamEvents(&context, {});
  reader->WaitForInitialMetadata();
  pipeline_->stop();
  v1::NetworkEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const auto status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the agent is shutting down");
}

TEST_F(FlowServiceTest, RefusesMoreStreamsThanItsBound) {
  config_.max_streams = 1;
  start();
  grpc::ClientContext first;
  auto one = stub_->StreamEvents(&first, {});
  one->WaitForInitialMetadata();
  grpc::ClientContext second;
  auto two = stub_->StreamEvents(&second, {});
  v1::NetworkEvent event;
  EXPECT_FALSE(two->Read(&event));
  EXPECT_EQ(two->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first.TryCancel();
  one->Finish();
}

TEST_F(FlowServiceTest, TellsASlowReaderWhatItLost) {
  config_.broadcast_channel_size = 10;
  start();
  grpc::ClientContext context;
  v1::StreamEventsRequest request;
  request.set_packets(true);
  auto reader = stub_->StreamEvents(&context, request);
  reader->WaitForInitialMetadata();
  Event packet;
  packet.kind = EventKind::kPacket;
  // Far more than the queue and all buffers on the way hold, while nobody reads.
  constexpr std::uint64_t kPackets = 200'000;
  for (std::uint64_t i = 0; i < kPackets; ++i) script_.send_packet(packet);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (pipeline_->status().subscriber_drops == 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_GT(pipeline_->status().subscriber_drops, 0U);
  std::uint64_t got = 0;
  std::uint64_t dropped = 0;
  v1::NetworkEvent event;
  while (got + dropped < kPackets && reader->Read(&event)) {
    ++got;
    dropped += event.dropped_before();
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(got + dropped, kPackets);
  context.TryCancel();
  reader->Finish();
}

TEST_F(FlowServiceTest, ReportsItsStatus) {
  script_.set_flow(record(1, 10));
  Accounting accounting;
  accounting.counted = {.packets = 7, .bytes = 700};
  script_.set_accounting(accounting);
  start();
  grpc::ClientContext context;
  v1::AgentStatus answer;
  ASSERT_TRUE(stub_->GetStatus(&context, {}, &answer).ok());
  EXPECT_EQ(answer.node_name(), "node-1");
  EXPECT_EQ(answer.version(), "1.2.3");
  EXPECT_TRUE(answer.healthy());
  EXPECT_EQ(answer.active_flows(), 1U);
  EXPECT_EQ(answer.flow_source(), "scripted");
  EXPECT_EQ(answer.accounting().counted().packets(), 7U);
}

TEST_F(FlowServiceTest, DoesNotShareItsPort) {
  start();
  auto second = config_;
  second.grpc_port = server_->port();
  const auto refused = GrpcServer::start(second, *service_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("the port is taken"));
}

}  // namespace
}  // namespace orb8
