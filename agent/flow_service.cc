// SPDX-License-Identifier: Apache-2.0
#include "agent/flow_service.h"

#include <chrono>
#include <utility>

#include "core/export/pods_wire.h"
#include "core/export/wire_request.h"

namespace orb8 {
namespace {

// How soon a stream without events notices that its client has gone.
constexpr auto kLookForClient = std::chrono::milliseconds(500);

grpc::Status to_grpc(const Error& error) {
  switch (error.code) {
    case Errc::kInvalid:
      return {grpc::StatusCode::INVALID_ARGUMENT, error.what};
    case Errc::kExhausted:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, error.what};
    case Errc::kUnavailable:
      return {grpc::StatusCode::UNAVAILABLE, error.what};
    default:
      return {grpc::StatusCode::INTERNAL, error.what};
  }
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

grpc::Status FlowService::QueryFlows(grpc::ServerContext* /*context*/,
                                     const v1::QueryFlowsRequest* request,
                                     v1::QueryFlowsResponse* response) {
  const auto query = from_wire(*request, rules_);
  if (!query) return to_grpc(query.error());
  const auto picked = pick_flows(*pipeline_.flows(), *query);
  InterfaceNames names;
  for (const auto& flow : picked.flows) to_wire(flow, names, *response->add_flows());
  response->set_matched(picked.matched);
  to_wire(pipeline_.status().source.accounting, *response->mutable_accounting());
  return grpc::Status::OK;
}

grpc::Status FlowService::StreamEvents(grpc::ServerContext* context,
                                       const v1::StreamEventsRequest* request,
                                       grpc::ServerWriter<v1::NetworkEvent>* writer) {
  auto selection = from_wire(*request, rules_);
  if (!selection) return to_grpc(selection.error());
  auto subscription = pipeline_.subscribe(std::move(*selection), request->packets());
  if (!subscription) return to_grpc(subscription.error());
  writer->SendInitialMetadata();  // the client knows now that it will miss nothing
  InterfaceNames names;
  v1::NetworkEvent message;
  while (!context->IsCancelled()) {
    const auto batch = subscription->next(kLookForClient);
    auto dropped = batch.dropped_before;
    for (const auto& event : batch.events) {
      message.Clear();
      to_wire(event, names, std::exchange(dropped, 0), message);
      if (!writer->Write(message)) return grpc::Status::CANCELLED;
    }
    if (batch.ended) return {grpc::StatusCode::UNAVAILABLE, "the agent is shutting down"};
  }
  return grpc::Status::CANCELLED;
}

grpc::Status FlowService::GetStatus(grpc::ServerContext* /*context*/,
                                    const v1::GetStatusRequest* /*request*/,
                                    v1::AgentStatus* response) {
  auto status = pipeline_.status();
  if (exporters_ != nullptr) exporters_->add_to(status);
  to_wire(status, node_, now_ns(), *response);
  return grpc::Status::OK;
}

grpc::Status FlowService::QueryPods(grpc::ServerContext* /*context*/,
                                    const v1::QueryPodsRequest* request,
                                    v1::QueryPodsResponse* response) {
  *response = answer_pods(*request, pipeline_.kube(), node_);
  return grpc::Status::OK;
}

}  // namespace orb8
