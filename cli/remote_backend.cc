// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_backend.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "cli/format.h"
#include "cli/wait.h"
#include "orb8/v1/agent.grpc.pb.h"

namespace orb8 {
namespace {

// gRPC wraps the cause: "failed to connect to all addresses; last error: UNKNOWN:
// ipv4:127.0.0.1:9090: Failed to connect to remote host: Connection refused".
std::string cause_of(const grpc::Status& status) {
  std::string text = status.error_message();
  if (text.find("DNS resolution failed") != std::string::npos) return "unknown host";
  if (text.find("last error: ") != std::string::npos) return text.substr(text.rfind(": ") + 2);
  return text;
}

// The messages of one call, one by one. With a queue of its own, since the reader that only waits
// does not tell whether there is more already.
template <class Message>
class MessageReader {
 public:
  MessageReader(std::unique_ptr<grpc::ClientAsyncReader<Message>> call,
                grpc::CompletionQueue& queue)
      : call_(std::move(call)), queue_(queue) {}
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;
  ~MessageReader() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool well = false;
    while (queue_.Next(&tag, &well)) {
    }
  }

  // Waits until the question is on its way.
  void start() { well_ = next(); }

  // Calls pause() before it waits. False: there are no more.
  template <class Pause>
  bool read(Message& message, Pause pause) {
    if (!well_) return false;
    call_->Read(&message, nullptr);
    void* tag = nullptr;
    const auto now = gpr_time_0(GPR_CLOCK_MONOTONIC);
    const auto got = queue_.AsyncNext(&tag, &well_, now);
    if (got == grpc::CompletionQueue::TIMEOUT) {
      pause();
      well_ = next();
    }
    return well_;
  }

  grpc::Status finish() {
    grpc::Status status;
    call_->Finish(&status, nullptr);
    next();
    return status;
  }

 private:
  // Whether what is under way, one thing at a time, came to a good end.
  bool next() {
    void* tag = nullptr;
    bool well = false;
    return queue_.Next(&tag, &well) && well;
  }

  std::unique_ptr<grpc::ClientAsyncReader<Message>> call_;
  grpc::CompletionQueue& queue_;
  bool well_ = false;  // the call goes on
};

bool show(const v1::NetworkEvent& event, const Backend::EventFn& on_event) {
  return on_event(event);
}

bool show(const v1::EventBatch& batch, const Backend::EventFn& on_event) {
  return std::ranges::all_of(batch.events(), std::cref(on_event));
}

class RemoteBackend final : public Backend {
 public:
  explicit RemoteBackend(RemoteOptions options) : options_(std::move(options)) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // agents are inside the cluster
    arguments.SetMaxReceiveMessageSize(-1);           // --limit says how much is wanted
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    // With the scheme, or a host named "unix" would be a path.
    stub_ = v1::OrbitAgentService::NewStub(grpc::CreateCustomChannel(
        "dns:///" + options_.agent, grpc::InsecureChannelCredentials(), arguments));
  }

  Result<v1::AgentStatus> status(const Patience& patience) override {
    v1::AgentStatus answer;
    auto ok = call(patience, [&](grpc::ClientContext& context) {
      return stub_->GetStatus(&context, {}, &answer);
    });
    if (!ok) return std::unexpected(ok.error());
    return answer;
  }

  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& request,
                                       const Patience& patience) override {
    v1::QueryFlowsResponse answer;
    auto ok = call(patience, [&](grpc::ClientContext& context) {
      return stub_->QueryFlows(&context, request, &answer);
    });
    if (!ok) return std::unexpected(ok.error());
    return answer;
  }

  Result<v1::QueryPodsResponse> pods(const v1::QueryPodsRequest& request,
                                     const Patience& patience) override {
    v1::QueryPodsResponse answer;
    auto ok = call(patience, [&](grpc::ClientContext& context) {
      return stub_->QueryPods(&context, request, &answer);
    });
    if (!ok) return std::unexpected(ok.error());
    return answer;
  }

  Result<void> stream(const v1::StreamEventsRequest& request, const EventFn& on_event,
                      const std::stop_token& stop) override {
    const auto ok = read_all(&Stub::AsyncStreamEventBatches, request, on_event, stop);
    if (ok || ok.error().code != Errc::kUnsupported) return ok;
    return read_all(&Stub::AsyncStreamEvents, request, on_event, stop);  // an agent of upstream's
  }

  bool starts_empty() const override { return false; }

 private:
  using Stub = v1::OrbitAgentService::Stub;
  template <class Message>
  using OpenFn = std::unique_ptr<grpc::ClientAsyncReader<Message>> (Stub::*)(
      grpc::ClientContext*, const v1::StreamEventsRequest&, grpc::CompletionQueue*, void*);

  template <class Message>
  Result<void> read_all(OpenFn<Message> open, const v1::StreamEventsRequest& request,
                        const EventFn& on_event, const std::stop_token& stop) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    std::optional<Error> silent;
    MessageReader reader((stub_.get()->*open)(&context, request, &queue, nullptr), queue);
    bool enough = false;
    {
      const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
      const std::jthread watch([&](const std::stop_token& over) {
        silent = watch_for_silence(over);
        if (silent) context.TryCancel();
      });
      reader.start();
      Message message;
      while (!enough && reader.read(message, [this] { pause(); })) {
        enough = !show(message, on_event);
      }
      if (enough) context.TryCancel();
    }
    const auto status = reader.finish();
    if (enough || stop.stop_requested()) return {};
    if (silent) return std::unexpected(*silent);
    if (status.ok() && request.end_after_history()) return {};
    // Cancelled, but not by us: by an agent that goes without waiting for its streams.
    if (status.ok() || status.error_code() == grpc::StatusCode::CANCELLED) {
      return fail(Errc::kUnavailable, by_agent("ended the stream"));
    }
    return std::unexpected(to_error(status));
  }

  template <class Call>
  Result<void> call(const Patience& patience, const Call& make) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience.time);
    const std::stop_callback cancel(patience.stop, [&context] { context.TryCancel(); });
    const auto status = make(context);
    if (status.ok()) {
      met_ = true;
      return {};
    }
    if (patience.stop.stop_requested()) {
      return fail(Errc::kUnavailable, "interrupted before the agent had answered");
    }
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return fail(Errc::kUnavailable,
                  fmt::format("{} {} did not answer within {}", met_ ? "the agent at" : "agent",
                              options_.agent, short_duration(patience.time)));
    }
    return std::unexpected(to_error(status));
  }

  // Returns when the stream is over, or the agent says nothing any more.
  std::optional<Error> watch_for_silence(const std::stop_token& over) {
    while (wait_for(options_.alive_every, over)) {
      const auto alive = status({.time = options_.alive_within, .stop = over});
      if (!alive && !over.stop_requested()) return alive.error();
    }
    return std::nullopt;
  }

  std::string by_agent(const std::string& what) const {
    return fmt::format("the agent at {} {}", options_.agent, what);
  }

  Error to_error(const grpc::Status& status) const {
    switch (status.error_code()) {
      case grpc::StatusCode::INVALID_ARGUMENT:
        return {.code = Errc::kInvalid, .what = by_agent("says: " + status.error_message())};
      case grpc::StatusCode::RESOURCE_EXHAUSTED:
        return {.code = Errc::kExhausted, .what = by_agent("says: " + status.error_message())};
      case grpc::StatusCode::UNIMPLEMENTED:
        return {.code = Errc::kUnsupported,
                .what = met_ ? by_agent("does not know this question: it is too old")
                             : fmt::format("what answers at {} is no orb8 agent", options_.agent)};
      case grpc::StatusCode::UNAVAILABLE:
        if (met_) {
          return {
              .code = Errc::kUnavailable,
              .what = fmt::format("lost the agent at {}: {}", options_.agent, cause_of(status))};
        }
        return {.code = Errc::kUnavailable,
                .what = fmt::format("no agent at {}: {}", options_.agent, cause_of(status))};
      default:
        return {.code = Errc::kInternal,
                .what = by_agent(fmt::format("failed: {} (gRPC status {})", cause_of(status),
                                             static_cast<int>(status.error_code())))};
    }
  }

  RemoteOptions options_;
  std::unique_ptr<Stub> stub_;
  std::atomic<bool> met_ = false;  // it has answered before
};

}  // namespace

Result<std::unique_ptr<Backend>> connect_to_agent(const RemoteOptions& options) {
  auto backend = std::make_unique<RemoteBackend>(options);
  // A channel that is merely connected may lead to anything that listens: only an answer will do.
  if (auto ok = backend->status(options.connect); !ok) return std::unexpected(ok.error());
  return backend;
}

}  // namespace orb8
