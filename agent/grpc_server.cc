// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <string>
#include <utility>

#include "agent/listen_address.h"

namespace orb8 {
namespace {

// Beside the streams, each of which occupies one: queries, and gRPC's own.
constexpr int kSpareThreads = 16;

// A client that vanished without a word holds a stream for this and the 20 s that gRPC waits for
// the answer.
constexpr int kPingClientEveryMs = 30'000;
constexpr int kLetClientPingEveryMs = 5'000;  // gRPC's own bound is 5 min: upstream has none

void keep_alive(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingClientEveryMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Without a bound, since a stream may have no events for hours: gRPC gives up after two pings.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLetClientPingEveryMs);
}

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const Config& config, FlowService& service) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  const ListenAddress address(config.grpc_address, config.grpc_port);
  int port = 0;
  grpc::ResourceQuota quota("orb8-agent");
  quota.SetMaxThreads(static_cast<int>(config.max_streams) + kSpareThreads);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(to_string(address), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  // Otherwise a second agent would share the port without a word, and get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  keep_alive(builder);
  auto server = builder.BuildAndStart();
  if (!server || port == 0) {
    return std::unexpected(listen_error("gRPC", address));
  }
  std::unique_ptr<GrpcServer> made(
      new GrpcServer(std::move(server), static_cast<std::uint16_t>(port)));
  made->set_serving(true);
  return made;
}

void GrpcServer::set_serving(bool serving) {
  auto* health = server_->GetHealthCheckService();
  health->SetServingStatus(serving);  // of the server as a whole, ""
  health->SetServingStatus(std::string(v1::OrbitAgentService::service_full_name()), serving);
}

void GrpcServer::stop(std::chrono::system_clock::time_point deadline) {
  server_->Shutdown(deadline);
}

}  // namespace orb8
