// SPDX-License-Identifier: Apache-2.0
#include "agent/flow_service.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
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

// Writes events as messages. False: nobody reads them.
class OneByOne {
 public:
  explicit OneByOne(grpc::ServerWriter<v1::NetworkEvent>& writer) : writer_(writer) {}

  bool write(const Subscription::Batch& batch) {
    auto dropped = batch.dropped_before;
    return std::ranges::all_of(batch.events, [&](const Event& event) {
      message_.Clear();
      to_wire(event, names_, std::exchange(dropped, 0), message_);
      return writer_.Write(message_);
    });
  }

 private:
  grpc::ServerWriter<v1::NetworkEvent>& writer_;
  InterfaceNames names_;
  v1::NetworkEvent message_;  // one for all, for its memory
};

class Together {
 public:
  explicit Together(grpc::ServerWriter<v1::EventBatch>& writer) : writer_(writer) {}

  bool write(const Subscription::Batch& batch) {
    auto dropped = batch.dropped_before;
    std::size_t bytes = 0;
    for (const auto& event : batch.events) {
      auto& message = *messages_.add_events();
      to_wire(event, names_, std::exchange(dropped, 0), message);
      bytes += message.ByteSizeLong();
      if (bytes < kBatchBytes) continue;
      if (!send()) return false;
      bytes = 0;
    }
    return messages_.events().empty() || send();
  }

 private:
  // Where a message costs little beside its events, and far from the 4 MiB that clients take in.
  static constexpr std::size_t kBatchBytes = std::size_t{64} << 10;

  bool send() {
    const bool sent = writer_.Write(messages_);
    messages_.Clear();
    return sent;
  }

  grpc::ServerWriter<v1::EventBatch>& writer_;
  InterfaceNames names_;
  v1::EventBatch messages_;
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
  return stream<OneByOne>(*context, *request, *writer);
}

grpc::Status FlowService::StreamEventBatches(grpc::ServerContext* context,
                                             const v1::StreamEventsRequest* request,
                                             grpc::ServerWriter<v1::EventBatch>* writer) {
  return stream<Together>(*context, *request, *writer);
}

template <class Packer, class Message>
grpc::Status FlowService::stream(grpc::ServerContext& context,
                                 const v1::StreamEventsRequest& request,
                                 grpc::ServerWriter<Message>& writer) {
  auto query = from_wire(request, rules_);
  if (!query) return to_grpc(query.error());
  Turn turn(replays_, query->history.has_value());
  if (query->history && !turn) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED,
            std::to_string(kMostReplays) + " streams read the history already: ask again"};
  }
  const bool follow = query->follow;
  auto feed = EventFeed::open(pipeline_, std::move(*query));
  if (!feed) return to_grpc(feed.error());
  writer.SendInitialMetadata();  // the client knows now that it will miss nothing
  Packer packer(writer);
  while (!context.IsCancelled()) {
    const auto batch = feed->next(kLookForClient);
    if (!feed->replays()) turn.end();
    if (!packer.write(batch)) return grpc::Status::CANCELLED;
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
