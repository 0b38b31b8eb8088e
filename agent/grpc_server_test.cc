// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "agent/scripted_agent.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;

// grpc.health.v1: HealthCheckRequest has 1 service; HealthCheckResponse has 1 status.
struct Serving {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string answer;
  bool operator==(const Serving&) const = default;
};
const Serving kServing = {grpc::StatusCode::OK, "\x08\x01"};
const Serving kNotServing = {grpc::StatusCode::OK, "\x08\x02"};
const Serving kNoSuchService = {grpc::StatusCode::NOT_FOUND, ""};

Serving check_health(const ScriptedAgent& agent, const std::string& service) {
  std::string request;
  if (!service.empty()) request = "\x0a" + std::string(1, static_cast<char>(service.size()));
  const grpc::Slice slice(request + service);
  const grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + ScriptedAgent::kPatience);
  std::promise<grpc::Status> done;
  grpc::GenericStub stub(agent.connect());
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &sent, &received,
                 [&](grpc::Status status) { done.set_value(std::move(status)); });
  Serving serving{.code = done.get_future().get().error_code(), .answer = ""};
  std::vector<grpc::Slice> slices;
  if (received.Valid()) received.Dump(&slices);
  for (const auto& one : slices) {
    serving.answer.append(reinterpret_cast<const char*>(one.begin()), one.size());
  }
  return serving;
}

TEST(GrpcServer, AnswersForItsHealthAsAWholeAndByName) {
  ScriptedAgent agent;
  agent.start();
  const std::string name = v1::OrbitAgentService::service_full_name();
  EXPECT_EQ(check_health(agent, ""), kServing);
  EXPECT_EQ(check_health(agent, name), kServing);
  agent.server->set_serving(false);
  EXPECT_EQ(check_health(agent, ""), kNotServing);
  EXPECT_EQ(check_health(agent, name), kNotServing);
  agent.server->set_serving(true);
  EXPECT_EQ(check_health(agent, name), kServing);
  EXPECT_EQ(check_health(agent, "orb8.v2.OrbitAgentService"), kNoSuchService);
}

TEST(GrpcServer, DoesNotShareItsPort) {
  ScriptedAgent agent;
  agent.start();
  auto second = agent.config;
  second.grpc_port = agent.server->port();
  const auto refused = GrpcServer::start(second, *agent.service);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_THAT(refused.error().what, HasSubstr(":" + std::to_string(second.grpc_port) + " "));
  EXPECT_THAT(refused.error().what, HasSubstr("the port is taken"));
  EXPECT_THAT(refused.error().what, HasSubstr("--grpc-port"));
}

TEST(GrpcServer, SaysThatItsAddressIsNone) {
  ScriptedAgent agent;
  agent.start();
  auto second = agent.config;
  second.grpc_address = "1:2";
  const auto refused = GrpcServer::start(second, *agent.service);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("--grpc-address"));
}

TEST(GrpcServer, TakesAllAddressesWithOrWithoutBrackets) {
  for (const auto* everything : {"[::]", "::", "0.0.0.0"}) {
    ScriptedAgent agent;
    agent.config.grpc_address = everything;
    agent.start();
    EXPECT_EQ(check_health(agent, ""), kServing) << everything;
  }
}

}  // namespace
}  // namespace orb8
