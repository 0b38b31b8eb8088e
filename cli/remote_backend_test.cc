// Against a real gRPC server of the test's own, on a loopback port.
// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_backend.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/base/unique_fd.h"
#include "orb8/v1/agent.grpc.pb.h"

namespace orb8 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// Calls that hang do so until the client gives up.
void wait_for_client(const grpc::ServerContext& context) {
  while (!context.IsCancelled()) std::this_thread::sleep_for(milliseconds(5));
}

class FakeAgent final : public v1::OrbitAgentService::Service {
 public:
  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                         v1::AgentStatus* status) override {
    if (statuses_left-- <= 0) wait_for_client(*context);
    status->set_node_name("node-7");
    return grpc::Status::OK;
  }

  grpc::Status QueryFlows(grpc::ServerContext*, const v1::QueryFlowsRequest* request,
                          v1::QueryFlowsResponse* response) override {
    if (request->limit() == 13)
      return {grpc::StatusCode::INVALID_ARGUMENT, "limit: '13' is unlucky"};
    for (std::uint32_t i = 0; i < request->limit(); ++i) {
      response->add_flows()->set_cgroup_path(std::string(100, 'c'));
    }
    return grpc::Status::OK;
  }

  grpc::Status StreamEvents(grpc::ServerContext* context, const v1::StreamEventsRequest* request,
                            grpc::ServerWriter<v1::NetworkEvent>* writer) override {
    v1::NetworkEvent event;
    event.set_dst_port(443);
    for (int i = 0; i < 3; ++i) writer->Write(event);
    if (!request->packets()) wait_for_client(*context);
    return grpc::Status::OK;
  }

  grpc::Status StreamEventBatches(grpc::ServerContext* context,
                                  const v1::StreamEventsRequest* request,
                                  grpc::ServerWriter<v1::EventBatch>* writer) override {
    if (upstreams) return {grpc::StatusCode::UNIMPLEMENTED, ""};
    for (const auto& ports : {std::vector<std::uint32_t>{1, 2}, {3}}) {
      v1::EventBatch batch;
      for (const auto port : ports) batch.add_events()->set_dst_port(port);
      writer->Write(batch);
    }
    if (!request->packets()) wait_for_client(*context);
    return grpc::Status::OK;
  }

  grpc::Status QueryPods(grpc::ServerContext*, const v1::QueryPodsRequest* request,
                         v1::QueryPodsResponse* response) override {
    if (upstreams) return {grpc::StatusCode::UNIMPLEMENTED, ""};
    response->add_pods()->set_namespace_(request->namespaces(0));
    return grpc::Status::OK;
  }

  std::atomic<int> statuses_left = 1'000'000;
  std::atomic<bool> upstreams = false;  // it does not know our questions
};

class RemoteBackend : public ::testing::Test {
 protected:
  RemoteBackend() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&agent_);
    server_ = builder.BuildAndStart();
    options_.agent = "127.0.0.1:" + std::to_string(port);
  }

  std::unique_ptr<Backend> connected() {
    auto backend = connect_to_agent(options_);
    EXPECT_TRUE(backend) << backend.error().what;
    return backend ? std::move(*backend) : nullptr;
  }

  FakeAgent agent_;
  std::unique_ptr<grpc::Server> server_;
  RemoteOptions options_;
};

TEST_F(RemoteBackend, BringsAnswersBack) {
  auto backend = connected();
  const auto status = backend->status({});
  ASSERT_TRUE(status) << status.error().what;
  EXPECT_EQ(status->node_name(), "node-7");
  EXPECT_FALSE(backend->starts_empty());
}

TEST_F(RemoteBackend, BringsPodsBack) {
  v1::QueryPodsRequest request;
  request.add_namespaces("shop");
  const auto answer = connected()->pods(request, {});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->pods(0).namespace_(), "shop");
}

TEST_F(RemoteBackend, TellsAnAgentThatDoesNotKnowTheQuestionFromOneThatIsNone) {
  agent_.upstreams = true;
  const auto answer = connected()->pods({}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kUnsupported);
  EXPECT_EQ(answer.error().what,
            "the agent at " + options_.agent + " does not know this question: it is too old");
}

TEST_F(RemoteBackend, TakesAnswersLargerThanGrpcsFourMegabytes) {
  auto backend = connected();
  v1::QueryFlowsRequest request;
  request.set_limit(50'000);
  const auto answer = backend->query(request, {});
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->flows_size(), 50'000);
  EXPECT_GT(answer->ByteSizeLong(), 4U << 20U);
}

TEST_F(RemoteBackend, PassesOnWhatTheAgentFindsWrong) {
  auto backend = connected();
  v1::QueryFlowsRequest request;
  request.set_limit(13);
  const auto answer = backend->query(request, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kInvalid);
  EXPECT_EQ(answer.error().what,
            "the agent at " + options_.agent + " says: limit: '13' is unlucky");
}

TEST_F(RemoteBackend, EndsAStreamThatTheCallerHasEnoughOf) {
  auto backend = connected();
  int events = 0;
  const auto ok = backend->stream({}, [&](const v1::NetworkEvent&) { return ++events < 2; }, {});
  EXPECT_TRUE(ok) << ok.error().what;
  EXPECT_EQ(events, 2);
}

TEST_F(RemoteBackend, EndsAStreamWhenToldToStop) {
  auto backend = connected();
  std::stop_source stop;
  int events = 0;
  const auto ok = backend->stream(
      {},
      [&](const v1::NetworkEvent&) {
        if (++events == 3) stop.request_stop();
        return true;
      },
      stop.get_token());
  EXPECT_TRUE(ok) << ok.error().what;
  EXPECT_EQ(events, 3);
}

TEST_F(RemoteBackend, SaysWhenThereIsNoFurtherEventYet) {
  auto backend = connected();
  std::stop_source stop;
  int events = 0;
  backend->set_on_pause([&] {
    if (events == 3) stop.request_stop();
  });
  const auto ok = backend->stream(
      {},
      [&](const v1::NetworkEvent&) {
        ++events;
        return true;
      },
      stop.get_token());
  EXPECT_TRUE(ok) << ok.error().what;
  EXPECT_EQ(events, 3);
}

// The ports of the first events of a stream, which ends with so many.
std::vector<std::uint32_t> first_ports(Backend& backend, std::size_t enough) {
  std::vector<std::uint32_t> ports;
  const auto take = [&](const v1::NetworkEvent& event) {
    ports.push_back(event.dst_port());
    return ports.size() < enough;
  };
  const auto ok = backend.stream({}, take, {});
  EXPECT_TRUE(ok) << ok.error().what;
  return ports;
}

TEST_F(RemoteBackend, TellsTheEventsOfABatchOneByOne) {
  EXPECT_THAT(first_ports(*connected(), 3), ElementsAre(1, 2, 3));
}

TEST_F(RemoteBackend, HasEnoughInTheMiddleOfABatch) {
  EXPECT_THAT(first_ports(*connected(), 1), ElementsAre(1));
}

TEST_F(RemoteBackend, TakesEventsOneByOneFromAnAgentThatKnowsNoBatches) {
  agent_.upstreams = true;
  EXPECT_THAT(first_ports(*connected(), 3), ElementsAre(443, 443, 443));
}

TEST_F(RemoteBackend, TellsAStreamThatTheAgentEndedFromOneThatWeEnded) {
  auto backend = connected();
  v1::StreamEventsRequest request;
  request.set_packets(true);
  const auto ok = backend->stream(request, [](const v1::NetworkEvent&) { return true; }, {});
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().what, "the agent at " + options_.agent + " ended the stream");
}

TEST_F(RemoteBackend, LosesAnAgentThatStops) {
  auto backend = connected();
  const auto ok = backend->stream(
      {},
      [&](const v1::NetworkEvent&) {
        std::thread([this] { server_->Shutdown(std::chrono::system_clock::now()); }).join();
        return true;
      },
      {});
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().code, Errc::kUnavailable);
  const auto again = backend->status({});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().what, "lost the agent at " + options_.agent + ": Connection refused");
}

TEST_F(RemoteBackend, LosesAnAgentThatFallsSilentInTheMiddleOfAStream) {
  agent_.statuses_left = 2;
  options_.alive_every = milliseconds(20);
  options_.alive_within = milliseconds(200);
  auto backend = connected();
  const auto ok = backend->stream({}, [](const v1::NetworkEvent&) { return true; }, {});
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().code, Errc::kUnavailable);
  EXPECT_EQ(ok.error().what, "the agent at " + options_.agent + " did not answer within 200ms");
}

TEST_F(RemoteBackend, KeepsAQuietStreamOfAnAgentThatIsAlive) {
  options_.alive_every = milliseconds(5);
  auto backend = connected();
  std::stop_source stop;
  const std::jthread later([&] {
    while (agent_.statuses_left > 1'000'000 - 50) std::this_thread::sleep_for(milliseconds(1));
    stop.request_stop();
  });
  const auto ok =
      backend->stream({}, [](const v1::NetworkEvent&) { return true; }, stop.get_token());
  EXPECT_TRUE(ok) << ok.error().what;
}

TEST_F(RemoteBackend, GivesUpOnAnAnswerAfterItsDeadline) {
  auto backend = connected();
  agent_.statuses_left = 0;
  const auto status = backend->status({.time = milliseconds(50), .stop = {}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "the agent at " + options_.agent + " did not answer within 50ms");
}

TEST_F(RemoteBackend, StopsWaitingWhenInterrupted) {
  auto backend = connected();
  agent_.statuses_left = 0;
  std::stop_source stop;
  const std::jthread later([&] {
    while (agent_.statuses_left == 0) std::this_thread::sleep_for(milliseconds(1));
    stop.request_stop();
  });
  const auto status = backend->status({.time = seconds(60), .stop = stop.get_token()});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "interrupted before the agent had answered");
}

TEST_F(RemoteBackend, SaysThatAGrpcServerOfAnotherKindIsNoAgent) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  grpc::CallbackGenericService knows_nothing;
  builder.RegisterCallbackGenericService(&knows_nothing);
  const auto server = builder.BuildAndStart();
  options_.agent = "127.0.0.1:" + std::to_string(port);
  const auto backend = connect_to_agent(options_);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().what, "what answers at " + options_.agent + " is no orb8 agent");
}

TEST_F(RemoteBackend, HasADeadlineForWhatAcceptsAndNeverAnswers) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  options_.agent = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  options_.connect.time = milliseconds(100);
  const auto backend = connect_to_agent(options_);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::kUnavailable);
  EXPECT_EQ(backend.error().what, "agent " + options_.agent + " did not answer within 100ms");
}

TEST_F(RemoteBackend, DoesNotTakeAHostNameForAPath) {
  options_.agent = "unix:9090";
  options_.connect.time = milliseconds(2000);
  const auto backend = connect_to_agent(options_);
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().what, ::testing::HasSubstr("unix:9090"));
  EXPECT_THAT(backend.error().what, ::testing::Not(::testing::HasSubstr("No such file")));
}

}  // namespace
}  // namespace orb8
