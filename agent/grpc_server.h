// The gRPC server: the flow service, reflection, and the standard health service.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <memory>

#include "agent/flow_service.h"
#include "core/base/result.h"
#include "core/config/config.h"

namespace orb8 {

class GrpcServer {
 public:
  // kUnavailable: the port is taken, or the address is not this machine's.
  static Result<std::unique_ptr<GrpcServer>> start(const Config& config, FlowService& service);

  std::uint16_t port() const noexcept { return port_; }

  // What grpc.health.v1 answers, for the server and for the flow service.
  void set_serving(bool serving);

  // Ends new calls at once and running ones at the deadline.
  void stop(std::chrono::system_clock::time_point deadline);

 private:
  GrpcServer(std::unique_ptr<grpc::Server> server, std::uint16_t port)
      : server_(std::move(server)), port_(port) {}

  std::unique_ptr<grpc::Server> server_;
  std::uint16_t port_;
};

}  // namespace orb8
