// SPDX-License-Identifier: Apache-2.0
#include "cli/standalone_backend.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "core/base/clock.h"
#include "core/base/version.h"
#include "core/config/load.h"
#include "core/export/flow_answer.h"
#include "core/export/pods_wire.h"
#include "core/export/wire.h"
#include "core/export/wire_request.h"
#include "core/kernel/preflight.h"
#include "core/pipeline/event_feed.h"
#include "core/pipeline/pipeline.h"

namespace orb8 {
namespace {

constexpr auto kLookAround = std::chrono::seconds(1);
constexpr std::uint32_t kRoom = 65'536;  // events

class StandaloneBackend final : public Backend {
 public:
  StandaloneBackend(const Config& config, std::unique_ptr<Pipeline> pipeline)
      : node_{config.node_name, std::string(version())},
        rules_{.max_limit = config.max_query_limit, .labels_kept = config.labels},
        pipeline_(std::move(pipeline)) {}

  Result<v1::AgentStatus> status(const Patience& /*at once*/) override {
    v1::AgentStatus answer;
    to_wire(pipeline_->status(), node_, wall_now_ns(), answer);
    return answer;
  }

  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& request,
                                       const Patience& /*at once*/) override {
    const auto query = from_wire(request, rules_);
    if (!query) return std::unexpected(query.error());
    v1::QueryFlowsResponse answer;
    answer_flows(*query, pipeline_->view(query->period.asks_for_history()), names_, answer);
    to_wire(pipeline_->status().source.accounting, *answer.mutable_accounting());
    return answer;
  }

  Result<v1::QueryPodsResponse> pods(const v1::QueryPodsRequest& request,
                                     const Patience& /*at once*/) override {
    return answer_pods(request, pipeline_->kube(), node_);
  }

  Result<void> stream(const v1::StreamEventsRequest& request, const EventFn& on_event,
                      const std::stop_token& stop) override {
    auto query = from_wire(request, rules_);
    if (!query) return std::unexpected(query.error());
    auto events = EventFeed::open(*pipeline_, std::move(*query));
    if (!events) return std::unexpected(events.error());
    v1::NetworkEvent message;
    for (bool last = false;;) {
      auto batch = events->next(kLookAround, stop);
      auto dropped = batch.dropped_before;
      for (const auto& event : batch.events) {
        message.Clear();
        to_wire(event, names_, std::exchange(dropped, 0), message);
        if (!on_event(message)) return {};
      }
      pause();
      if (last || batch.ended) return {};
      if (stop.stop_requested() && events->replays()) return {};
      if (stop.stop_requested()) {
        pipeline_->stop();  // takes a last snapshot: what moved since the one before still comes
        last = true;
      }
    }
  }

  bool starts_empty() const override { return true; }

 private:
  NodeInfo node_;
  QueryRules rules_;
  InterfaceNames names_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace

Result<std::unique_ptr<Backend>> start_standalone(const StandaloneOptions& options) {
  auto loaded = load_config({.flags = options.settings,
                             .environment = options.environment,
                             .file = options.config_file,
                             .variables = options.variables});
  if (!loaded) return fail(Errc::kInvalid, loaded.error().what);  // a file that is not there, too
  for (const auto& warning : loaded->warnings) options.warn(warning);
  auto& config = loaded->config;
  // There is one reader, and its memory is nobody else's: a burst of new flows finds room.
  if (!loaded->origins.contains("broadcast_channel_size")) config.broadcast_channel_size = kRoom;
  config.metrics_max_series = 0;  // nobody scrapes a command line

  const auto checks = run_preflight({});
  if (!passed(checks) && ::geteuid() != 0) {
    return fail(Errc::kDenied,
                fmt::format("watching this machine itself needs root, to load BPF programs: run "
                            "sudo orb8 {} --standalone, or ask an agent with --agent HOST:PORT",
                            options.command));
  }
  if (!passed(checks)) return fail(Errc::kDenied, failure_text(checks));
  options.progress("loading the probes");  // a second or so in the kernel's verifier
  auto pipeline = Pipeline::start(config);
  if (!pipeline) return std::unexpected(pipeline.error());
  return std::make_unique<StandaloneBackend>(config, std::move(*pipeline));
}

}  // namespace orb8
