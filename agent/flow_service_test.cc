// SPDX-License-Identifier: Apache-2.0
#include "agent/flow_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/scripted_agent.h"
#include "core/identity/kube_test_data.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  FlowServiceTest() { agent_.config.max_query_limit = 3; }

  void start() {
    agent_.start();
    stub_ = v1::OrbitAgentService::NewStub(agent_.connect());
  }

  void set_flows(std::uint16_t count) {
    for (std::uint16_t port = 1; port <= count; ++port) {
      agent_.script.set_flow(record(port, std::uint64_t{10} * port));
    }
  }

  grpc::Status query(const v1::QueryFlowsRequest& request, v1::QueryFlowsResponse& answer) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + ScriptedAgent::kPatience);
    return stub_->QueryFlows(&context, request, &answer);
  }

  std::vector<std::uint32_t> ports_of(const v1::QueryFlowsRequest& request) {
    v1::QueryFlowsResponse answer;
    const auto status = query(request, answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<std::uint32_t> ports;
    for (const auto& flow : answer.flows()) ports.push_back(flow.src_port());
    return ports;
  }

  KubeStore kube_{{}};  // outlives the agent
  ScriptedAgent agent_;
  std::unique_ptr<v1::OrbitAgentService::Stub> stub_;
};

TEST_F(FlowServiceTest, AnswersWithTheLargestFlowsFirst) {
  set_flows(5);
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

TEST_F(FlowServiceTest, SortsAsAsked) {
  auto many_packets = record(1, 10);
  many_packets.packets = 5;
  auto latest = record(2, 20);
  latest.last_seen_ns += 1'000'000'000;
  agent_.script.set_flow(many_packets);
  agent_.script.set_flow(latest);
  agent_.script.set_flow(record(3, 30));
  start();
  v1::QueryFlowsRequest request;
  request.set_limit(1);
  EXPECT_THAT(ports_of(request), ElementsAre(3));
  request.set_sort(v1::SORT_ORDER_PACKETS);
  EXPECT_THAT(ports_of(request), ElementsAre(1));
  request.set_sort(v1::SORT_ORDER_LAST_SEEN);
  EXPECT_THAT(ports_of(request), ElementsAre(2));
}

TEST_F(FlowServiceTest, GivesOnlyWhatMatches) {
  set_flows(3);
  start();
  v1::QueryFlowsRequest request;
  request.mutable_filter()->add_ports(2);
  EXPECT_THAT(ports_of(request), ElementsAre(2));
  request.add_namespaces("external");
  EXPECT_THAT(ports_of(request), ElementsAre(2));
  request.set_namespaces(0, "shop");
  EXPECT_THAT(ports_of(request), ElementsAre());
}

TEST_F(FlowServiceTest, TakesLimitZeroAndALargerOneForTheConfiguredMaximum) {
  set_flows(5);
  start();
  for (const std::uint32_t limit : {0U, 4U, UINT32_MAX}) {
    v1::QueryFlowsRequest request;
    request.set_limit(limit);
    EXPECT_THAT(ports_of(request), ElementsAre(5, 4, 3)) << limit;
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
  stream.mutable_filter()->add_protocols(std::string(100'000, 'x'));  // fits no trailer whole
  auto reader = stub_->StreamEvents(&context, stream);
  v1::NetworkEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const auto refused = reader->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("filter.protocols: 'xxx"));
}

TEST_F(FlowServiceTest, StreamsWhatHappensUntilTheClientHasEnough) {
  start();
  grpc::ClientContext context;
  auto reader = stub_->StreamEvents(&context, {});
  reader->WaitForInitialMetadata();
  agent_.script.set_flow(record(7, 70));
  v1::NetworkEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.type(), v1::EVENT_TYPE_FLOW_START);
  EXPECT_EQ(event.src_port(), 7U);
  EXPECT_EQ(event.bytes(), 70U);
  context.TryCancel();
  reader->Finish();
  EXPECT_TRUE(eventually([&] { return agent_.pipeline->status().subscribers == 0; }))
      << "the server did not notice that the client went";
}

TEST_F(FlowServiceTest, StreamsTogetherWhatIsThereTogether) {
  constexpr std::uint16_t kFlows = 1000;
  set_flows(kFlows);
  start();
  ASSERT_TRUE(eventually([&] { return agent_.pipeline->status().active_flows == kFlows; }));
  v1::StreamEventsRequest request;
  request.set_all(true);
  request.set_end_after_history(true);
  grpc::ClientContext context;
  auto reader = stub_->StreamEventBatches(&context, request);
  std::vector<std::uint32_t> ports;
  int messages = 0;
  for (v1::EventBatch batch; reader->Read(&batch); ++messages) {
    EXPECT_LT(batch.ByteSizeLong(), 66'000U);
    for (const auto& event : batch.events()) ports.push_back(event.src_port());
  }
  EXPECT_TRUE(reader->Finish().ok());
  std::ranges::sort(ports);
  std::vector<std::uint32_t> all(kFlows);
  std::iota(all.begin(), all.end(), 1U);
  EXPECT_EQ(ports, all);
  EXPECT_GT(messages, 1);
  EXPECT_LT(messages, 10);
}

TEST_F(FlowServiceTest, StreamsOnlyWhatTheFilterLetsThrough) {
  start();
  grpc::ClientContext context;
  v1::StreamEventsRequest request;
  request.mutable_filter()->add_ports(3);
  auto reader = stub_->StreamEvents(&context, request);
  reader->WaitForInitialMetadata();
  set_flows(3);
  v1::NetworkEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.src_port(), 3U);
  context.TryCancel();
  reader->Finish();
}

TEST_F(FlowServiceTest, EndsAStreamAtItsDeadline) {
  start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  auto reader = stub_->StreamEvents(&context, {});
  v1::NetworkEvent event;
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(eventually([&] { return agent_.pipeline->status().subscribers == 0; }));
}

TEST_F(FlowServiceTest, EndsStreamsWhenThePipelineStops) {
  start();
  grpc::ClientContext context;
  auto reader = stub_->StreamEvents(&context, {});
  reader->WaitForInitialMetadata();
  agent_.pipeline->stop();
  v1::NetworkEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const auto status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the agent is shutting down");
}

TEST_F(FlowServiceTest, RefusesMoreStreamsThanItsBoundAndAnswersQueriesStill) {
  agent_.config.max_streams = 2;
  start();
  std::vector<std::pair<std::unique_ptr<grpc::ClientContext>,
                        std::unique_ptr<grpc::ClientReader<v1::NetworkEvent>>>>
      streams;
  for (int i = 0; i < 40; ++i) {
    auto context = std::make_unique<grpc::ClientContext>();
    auto reader = stub_->StreamEvents(context.get(), {});
    if (i < 2) reader->WaitForInitialMetadata();
    streams.emplace_back(std::move(context), std::move(reader));
  }
  set_flows(1);
  v1::QueryFlowsResponse answer;
  // While the refusals are on their way, all of the server's threads may be at work.
  auto status = query({}, answer);
  while (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) status = query({}, answer);
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (int i = 0; i < 40; ++i) {
    auto& [context, reader] = streams[static_cast<std::size_t>(i)];
    v1::NetworkEvent event;
    EXPECT_EQ(reader->Read(&event), i < 2) << i;
    if (i < 2) context->TryCancel();
    const auto expected =
        i < 2 ? grpc::StatusCode::CANCELLED : grpc::StatusCode::RESOURCE_EXHAUSTED;
    EXPECT_EQ(reader->Finish().error_code(), expected) << i;
  }
}

TEST_F(FlowServiceTest, NamesBothSidesOfAFlowAndThePodThatItIsSeenFrom) {
  kube_.set(pod("u1", "web-0", {Addr::v4(10, 0, 0, 1)}));
  kube_.set(service("s1", "db", {Addr::v4(10, 0, 0, 2)}));
  agent_.kube = &kube_;
  set_flows(1);
  start();
  v1::QueryFlowsRequest request;
  request.add_namespaces("shop");
  request.add_pod_names("web-0");
  v1::QueryFlowsResponse answer;
  ASSERT_TRUE(query(request, answer).ok());
  ASSERT_EQ(answer.flows_size(), 1);
  EXPECT_EQ(answer.flows(0).namespace_(), "shop");
  EXPECT_EQ(answer.flows(0).pod_name(), "web-0");
  EXPECT_EQ(answer.flows(0).src().name(), "web-0");
  EXPECT_EQ(answer.flows(0).dst().kind(), "service");
  EXPECT_EQ(answer.flows(0).dst_service(), "shop/db");
  EXPECT_EQ(answer.flows(0).dst_service_port(), "http");
}

TEST_F(FlowServiceTest, TellsItsPodsAndHowManyTheyAre) {
  kube_.set(pod("u1", "web-0", {}));
  kube_.set(pod("u2", "web-1", {}));
  agent_.kube = &kube_;
  start();
  v1::QueryPodsRequest request;
  request.add_pod_names("web-1");
  v1::QueryPodsResponse answer;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->QueryPods(&context, request, &answer).ok());
  EXPECT_TRUE(answer.kubernetes());
  EXPECT_EQ(answer.node_name(), "node-1");
  ASSERT_EQ(answer.pods_size(), 1);
  EXPECT_EQ(answer.pods(0).name(), "web-1");
  v1::AgentStatus status;
  grpc::ClientContext of_status;
  ASSERT_TRUE(stub_->GetStatus(&of_status, {}, &status).ok());
  EXPECT_EQ(status.pods_tracked(), 2U);
}

TEST_F(FlowServiceTest, SaysThatItKnowsNoPodsWithoutACluster) {
  start();
  v1::QueryPodsResponse answer;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->QueryPods(&context, {}, &answer).ok());
  EXPECT_FALSE(answer.kubernetes());
}

TEST_F(FlowServiceTest, AnswersManyAtOnce) {
  set_flows(3);
  start();
  constexpr int kCalls = 200;
  struct Call {
    grpc::ClientContext context;
    v1::QueryFlowsResponse answer;
    grpc::Status status;
  };
  std::vector<Call> calls(kCalls);
  {
    std::vector<std::jthread> threads;
    for (std::size_t begin = 0; begin < 8; ++begin) {
      threads.emplace_back([&, begin] {
        for (std::size_t i = begin; i < kCalls; i += 8) {
          auto& call = calls[i];
          if (i % 5 == 0) call.context.TryCancel();
          call.status = stub_->QueryFlows(&call.context, {}, &call.answer);
        }
      });
    }
  }
  for (std::size_t i = 0; i < kCalls; ++i) {
    const auto expected = i % 5 == 0 ? grpc::StatusCode::CANCELLED : grpc::StatusCode::OK;
    EXPECT_EQ(calls[i].status.error_code(), expected) << calls[i].status.error_message();
  }
}

// One that ends at once, and one that goes on.
class FlowServiceHistory : public FlowServiceTest {
 protected:
  FlowServiceHistory() {
    auto over = record(1, 10);
    over.tcp_flags = kTcpFin;
    over.last_seen_ns -= 10'000'000'000;
    agent_.script.set_flow(over);
    agent_.script.set_flow(record(2, 20));
    start();
    EXPECT_TRUE(eventually([&] { return agent_.pipeline->status().history_flows == 1; }));
  }

  grpc::Status stream(const v1::StreamEventsRequest& request,
                      std::vector<v1::NetworkEvent>& events) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + ScriptedAgent::kPatience);
    const auto reader = stub_->StreamEvents(&context, request);
    v1::NetworkEvent event;
    while (reader->Read(&event)) events.push_back(event);
    return reader->Finish();
  }
};

TEST_F(FlowServiceHistory, AnswersWithEndedFlowsWhereThoseAreAskedFor) {
  v1::QueryFlowsRequest request;
  EXPECT_THAT(ports_of(request), ElementsAre(2));
  request.set_since_ns(1);
  EXPECT_THAT(ports_of(request), ElementsAre(2, 1));
  v1::QueryFlowsResponse answer;
  ASSERT_TRUE(query(request, answer).ok());
  EXPECT_EQ(answer.flows(1).end_reason(), "closed");
  EXPECT_GT(answer.history_from_ns(), 0);
  request.set_since_ns(0);
  request.set_ended_since_ns(answer.taken_ns());
  EXPECT_THAT(ports_of(request), ElementsAre(2)) << "what ended before is in that answer";
}

TEST_F(FlowServiceHistory, StreamsWhatHasBeenAndEnds) {
  v1::StreamEventsRequest request;
  request.set_all(true);
  request.set_end_after_history(true);
  std::vector<v1::NetworkEvent> events;
  const auto status = stream(request, events);
  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].type(), v1::EVENT_TYPE_FLOW_END);
  EXPECT_EQ(events[0].end_reason(), "closed");
  EXPECT_EQ(events[0].byte_count(), 10U);
  EXPECT_EQ(events[0].total_bytes(), 10U);
  EXPECT_EQ(events[1].type(), v1::EVENT_TYPE_FLOW_UPDATE);
  EXPECT_EQ(events[1].byte_count(), 20U);
}

TEST_F(FlowServiceHistory, SaysWhatItCannotStream) {
  v1::StreamEventsRequest request;
  request.set_all(true);
  request.set_packets(true);
  std::vector<v1::NetworkEvent> events;
  const auto status = stream(request, events);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("they are not remembered"));
}

TEST_F(FlowServiceHistory, GoesOnWithWhatHappens) {
  v1::StreamEventsRequest request;
  request.set_last(1);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + ScriptedAgent::kPatience);
  const auto reader = stub_->StreamEvents(&context, request);
  v1::NetworkEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.src_port(), 2U);
  auto more = record(2, 50);
  more.packets = 3;
  agent_.script.set_flow(more);
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.byte_count(), 30U);
  context.TryCancel();
  reader->Finish();
}

TEST_F(FlowServiceTest, ReportsItsStatus) {
  set_flows(1);
  Accounting accounting;
  accounting.counted = {.packets = 7, .bytes = 700};
  agent_.script.set_accounting(accounting);
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

}  // namespace
}  // namespace orb8
