// The gRPC service over a pipeline.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <semaphore>

#include "agent/exporters.h"
#include "core/export/wire.h"
#include "core/export/wire_request.h"
#include "core/pipeline/pipeline.h"
#include "orb8/v1/agent.grpc.pb.h"

namespace orb8 {

class FlowService final : public v1::OrbitAgentService::Service {
 public:
  // `exporters`: null, or what the status tells of too.
  FlowService(Pipeline& pipeline, NodeInfo node, const QueryRules& rules,
              const Exporters* exporters = nullptr)
      : pipeline_(pipeline), node_(std::move(node)), rules_(rules), exporters_(exporters) {}

  // INVALID_ARGUMENT: a value that is not allowed, named.
  grpc::Status QueryFlows(grpc::ServerContext* context, const v1::QueryFlowsRequest* request,
                          v1::QueryFlowsResponse* response) override;

  // One thread for each stream. RESOURCE_EXHAUSTED: max_streams of them already, or kMostReplays
  // that still read what has been; UNAVAILABLE ends a stream when the agent stops.
  grpc::Status StreamEvents(grpc::ServerContext* context, const v1::StreamEventsRequest* request,
                            grpc::ServerWriter<v1::NetworkEvent>* writer) override;
  grpc::Status StreamEventBatches(grpc::ServerContext* context,
                                  const v1::StreamEventsRequest* request,
                                  grpc::ServerWriter<v1::EventBatch>* writer) override;

  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest* request,
                         v1::AgentStatus* response) override;

  grpc::Status QueryPods(grpc::ServerContext* context, const v1::QueryPodsRequest* request,
                         v1::QueryPodsResponse* response) override;

 private:
  // Packer: how events become messages.
  template <class Packer, class Message>
  grpc::Status stream(grpc::ServerContext& context, const v1::StreamEventsRequest& request,
                      grpc::ServerWriter<Message>& writer);

  // A client that reads slowly keeps the pages of a moment, which the pipeline copies then to go
  // on.
  static constexpr std::ptrdiff_t kMostReplays = 4;

  Pipeline& pipeline_;
  NodeInfo node_;
  QueryRules rules_;
  const Exporters* exporters_;
  std::counting_semaphore<kMostReplays> replays_{kMostReplays};
};

}  // namespace orb8
