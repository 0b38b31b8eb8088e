// SPDX-License-Identifier: Apache-2.0
#include "agent/flow_service.h"

#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/export/flow_answer.h"
#include "core/export/pods_wire.h"
#include "core/export/wire_request.h"
#include "core/pipeline/event_feed.h"

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

// One of the few turns there are, taken if there is one left and given back at its end.
template <class Turns>
class Turn {
 public:
  Turn(Turns& turns, bool wanted) : turns_(wanted && turns.try_acquire() ? &turns : nullptr) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { end(); }

  explicit operator bool() const { return turns_ != nullptr; }
  void end() {
    if (auto* turns = std::exchange(turns_, nullptr)) turns->release();
  }

 private:
  Turns* turns_;  // null: none is taken
};

}  // namespace

grpc::Status FlowService::QueryFlows(grpc::ServerContext* /*context*/,
                                     const v1::QueryFlowsRequest* request,
                                     v1::QueryFlowsResponse* response) {
  const auto query = from_wire(*request, rules_);
  if (!query) return to_grpc(query.error());
  InterfaceNames names;
  answer_flows(*query, pipeline_.view(query->period.asks_for_history()), names, *response);
  to_wire(pipeline_.status().source.accounting, *response->mutable_accounting());
  return grpc::Status::OK;
}

grpc::Status FlowService::StreamEvents(grpc::ServerContext* context,
                                       const v1::StreamEventsRequest* request,
                                       grpc::ServerWriter<v1::NetworkEvent>* writer) {
  auto query = from_wire(*request, rules_);
  if (!query) return to_grpc(query.error());
  Turn turn(replays_, query->history.has_value());
  if (query->history && !turn) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED,
            std::to_string(kMostReplays) + " streams read the history already: ask again"};
  }
  const bool follow = query->follow;
  auto feed = EventFeed::open(pipeline_, std::move(*query));
  if (!feed) return to_grpc(feed.error());
  writer->SendInitialMetadata();  // the client knows now that it will miss nothing
  InterfaceNames names;
  v1::NetworkEvent message;
  while (!context->IsCancelled()) {
    const auto batch = feed->next(kLookForClient);
    if (!feed->replays()) turn.end();
    auto dropped = batch.dropped_before;
    for (const auto& event : batch.events) {
      message.Clear();
      to_wire(event, names, std::exchange(dropped, 0), message);
      if (!writer->Write(message)) return grpc::Status::CANCELLED;
    }
    if (batch.ended && !follow) return grpc::Status::OK;
    if (batch.ended) return {grpc::StatusCode::UNAVAILABLE, "the agent is shutting down"};
  }
  return grpc::Status::CANCELLED;
}

grpc::Status FlowService::GetStatus(grpc::ServerContext* /*context*/,
                                    const v1::GetStatusRequest* /*request*/,
                                    v1::AgentStatus* response) {
  auto status = pipeline_.status();
  if (exporters_ != nullptr) exporters_->add_to(status);
  to_wire(status, node_, wall_now_ns(), *response);
  return grpc::Status::OK;
}

grpc::Status FlowService::QueryPods(grpc::ServerContext* /*context*/,
                                    const v1::QueryPodsRequest* request,
                                    v1::QueryPodsResponse* response) {
  *response = answer_pods(*request, pipeline_.kube(), node_);
  return grpc::Status::OK;
}

}  // namespace orb8
