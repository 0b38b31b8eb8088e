// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_backend.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "orb8/v1/agent.grpc.pb.h"

namespace orb8 {
namespace {

constexpr auto kCallDeadline = std::chrono::seconds(10);
constexpr int kKeepaliveMs = 10'000;  // a host that vanished is noticed this soon
constexpr int kKeepaliveTimeoutMs = 5'000;

Error to_error(const std::string& target, const grpc::Status& status) {
  auto code = Errc::kInternal;
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
      return {.code = Errc::kInvalid, .what = status.error_message()};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {.code = Errc::kExhausted, .what = target + ": " + status.error_message()};
    case grpc::StatusCode::UNIMPLEMENTED:
      code = Errc::kUnsupported;
      break;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      code = Errc::kUnavailable;
      break;
    default:
      break;
  }
  return {.code = code,
          .what = "the agent at " + target + " gave no answer: " + status.error_message()};
}

class RemoteBackend final : public Backend {
 public:
  RemoteBackend(std::string target, const std::shared_ptr<grpc::Channel>& channel)
      : target_(std::move(target)), stub_(v1::OrbitAgentService::NewStub(channel)) {}

  Result<v1::AgentStatus> status() override {
    v1::AgentStatus answer;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    const auto status = stub_->GetStatus(&context, {}, &answer);
    if (!status.ok()) return std::unexpected(to_error(target_, status));
    return answer;
  }

  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& request) override {
    v1::QueryFlowsResponse answer;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    const auto status = stub_->QueryFlows(&context, request, &answer);
    if (!status.ok()) return std::unexpected(to_error(target_, status));
    return answer;
  }

  Result<void> stream(const v1::StreamEventsRequest& request, const EventFn& on_event,
                      const std::stop_token& stop) override {
    grpc::ClientContext context;
    const auto reader = stub_->StreamEvents(&context, request);
    bool enough = false;
    {
      const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
      v1::NetworkEvent event;
      while (!enough && reader->Read(&event)) enough = !on_event(event);
    }
    if (enough) context.TryCancel();
    const auto status = reader->Finish();
    if (enough || stop.stop_requested() || status.ok()) return {};
    return std::unexpected(to_error(target_, status));
  }

  bool starts_empty() const override { return false; }

 private:
  std::string target_;
  std::unique_ptr<v1::OrbitAgentService::Stub> stub_;
};

}  // namespace

Result<std::unique_ptr<Backend>> connect_to_agent(const std::string& target,
                                                  std::chrono::milliseconds deadline) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // a quiet stream is watched too
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);             // agents are inside the cluster
  auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + deadline)) {
    return fail(Errc::kUnavailable, "no agent answers at " + target);
  }
  return std::make_unique<RemoteBackend>(target, channel);
}

}  // namespace orb8
