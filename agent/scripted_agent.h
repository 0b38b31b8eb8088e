// For tests: the agent's service behind a real gRPC server on loopback, over flows that a script
// tells.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "agent/flow_service.h"
#include "agent/grpc_server.h"
#include "core/base/eventually.h"
#include "core/config/config.h"
#include "core/pipeline/pipeline.h"
#include "core/source/scripted_source.h"

namespace orb8 {

// Members are written before start(), and read after.
struct ScriptedAgent {
  static constexpr auto kPatience = std::chrono::seconds(20);

  ScriptedAgent() {
    config.grpc_address = "127.0.0.1";
    config.grpc_port = 0;
    config.snapshot_interval_ms = 100;
    config.poll_interval_ms = 1;
  }
  ScriptedAgent(const ScriptedAgent&) = delete;
  ScriptedAgent& operator=(const ScriptedAgent&) = delete;
  ~ScriptedAgent() {
    if (server) stop(kPatience);
  }

  void start() {
    pipeline = *Pipeline::start(config, std::make_unique<ScriptedSource>(script), kube);
    service = std::make_unique<FlowService>(*pipeline, NodeInfo{"node-1", "1.2.3"},
                                            QueryRules{.max_limit = config.max_query_limit});
    server = *GrpcServer::start(config, *service);
  }

  // As the agent does it.
  void stop(std::chrono::milliseconds farewell) {
    pipeline->stop();
    server->stop(std::chrono::system_clock::now() + farewell);
  }

  // A connection of its own, not shared with other channels.
  std::shared_ptr<grpc::Channel> connect(grpc::ChannelArguments arguments = {}) const {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server->port()),
                                     grpc::InsecureChannelCredentials(), arguments);
  }

  Config config;
  Script script;
  KubeStore* kube = nullptr;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<FlowService> service;
  std::unique_ptr<GrpcServer> server;
};

}  // namespace orb8
