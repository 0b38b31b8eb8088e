// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <string>
#include <utility>

namespace orb8 {
namespace {

// Beside the streams, each of which occupies one: queries, and gRPC's own.
constexpr int kSpareThreads = 16;
constexpr int kKeepaliveMs = 30'000;  // a client that vanished without a word is gone after this

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const Config& config, FlowService& service) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  const std::string address = config.grpc_address + ":" + std::to_string(config.grpc_port);
  int port = 0;
  grpc::ResourceQuota quota("orb8-agent");
  quota.SetMaxThreads(static_cast<int>(config.max_streams) + kSpareThreads);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  // Otherwise a second agent would share the port without a word, and get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  auto server = builder.BuildAndStart();
  if (!server || port == 0) {
    return fail(Errc::kUnavailable, "listen on " + address +
                                        " for gRPC: the port is taken, or the address is not this "
                                        "machine's; choose with --grpc-port and --grpc-address");
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
