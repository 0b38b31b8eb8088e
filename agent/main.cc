// orb8-agent: the pipeline of this node behind gRPC and HTTP.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/event_log.h"
#include "agent/exporters.h"
#include "agent/flow_service.h"
#include "agent/grpc_server.h"
#include "agent/health_server.h"
#include "agent/listen_address.h"
#include "agent/options.h"
#include "core/base/log.h"
#include "core/base/version.h"
#include "core/export/scrape_format.h"
#include "core/kernel/preflight.h"
#include "core/pipeline/pipeline.h"

namespace orb8 {
namespace {

constexpr auto kTellHealthEvery = timespec{.tv_sec = 1, .tv_nsec = 0};
// Twice the longest snapshot interval, and far more than a snapshot of full maps on a busy node.
constexpr std::chrono::minutes kWedgedAfter(2);

sigset_t awaited_signals(const Config& config) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  if (!config.export_file.empty()) ::sigaddset(&set, SIGHUP);
  return set;
}

bool check_machine() {
  spdlog::info("Running pre-flight checks...");
  const auto checks = run_preflight({});
  for (const auto& check : checks) {
    const auto level = check.outcome == CheckOutcome::kOk        ? spdlog::level::info
                       : check.outcome == CheckOutcome::kWarning ? spdlog::level::warn
                                                                 : spdlog::level::err;
    spdlog::log(level, "{}", to_line(check));
  }
  if (!passed(checks)) {
    spdlog::error("Pre-flight checks failed: nothing was loaded");
    return false;
  }
  spdlog::info("Pre-flight checks passed");
  return true;
}

// Returns the signal that ends the agent; meanwhile gRPC's health service follows the pipeline's.
int serve_until_signal(const sigset_t& signals, const Pipeline& pipeline, GrpcServer& server) {
  for (;;) {
    server.set_serving(pipeline.status().healthy());
    const int signal = ::sigtimedwait(&signals, nullptr, &kTellHealthEvery);
    // It comes from whoever renames files, and they are seen to be renamed.
    if (signal > 0 && signal != SIGHUP) return signal;
  }
}

// What must be over in time is; a thread that hangs in a library does not keep the process.
void end_by_force_after(std::uint32_t seconds) {
  ::signal(SIGALRM, [](int) {
    constexpr std::string_view kLine = "orb8-agent: the shutdown took too long: giving up\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
    ::_exit(EXIT_FAILURE);
  });
  ::alarm(seconds);
}

std::chrono::milliseconds half_of_shutdown(const Config& config) {
  return std::chrono::milliseconds(500 * config.shutdown_timeout_secs);
}

// Half of the time allowed is for those who read to the end, and two seconds are plenty.
std::chrono::milliseconds farewell(const Config& config) {
  constexpr std::chrono::milliseconds kPlenty(2000);
  return std::min(kPlenty, half_of_shutdown(config));
}

// Serves until a signal comes; what there was then. On the way out the probes are taken off, which
// takes the kernel some 10 ms for each hook.
Result<Status> serve(const Config& config, const sigset_t& signals) {
  const ListenAddress health_address(config.health_address, config.health_port);
  const auto health = HealthServer::start(health_address);
  if (!health) return std::unexpected(health.error());
  spdlog::info("Health server listening on {}",
               to_string({health_address.host, (*health)->port()}));

  auto started = Pipeline::start(config);
  if (!started) return std::unexpected(started.error());
  const std::shared_ptr<Pipeline> pipeline = std::move(*started);
  auto opened = Exporters::start(config, pipeline);
  if (!opened) return std::unexpected(opened.error());
  const std::shared_ptr<Exporters> exporters = std::move(*opened);
  (*health)->follow([pipeline, exporters] { return exporters->add_to(pipeline->status()); },
                    [pipeline] { return pipeline->standstill() < kWedgedAfter; });
  (*health)->follow_metrics([exporters](ScrapeFormat format) {
    return scrape_text(format, [&](const TakeFamilyFn& take) { exporters->collect_metrics(take); });
  });
  std::optional<EventLog> event_log;
  if (config.log_level == LogLevel::kDebug) {
    if (auto events = pipeline->subscribe({}, false)) event_log.emplace(std::move(*events));
  }

  FlowService service(*pipeline, {config.node_name, std::string(version())},
                      {.max_limit = config.max_query_limit, .labels_kept = config.labels},
                      exporters.get());
  const auto server = GrpcServer::start(config, service);
  if (!server) return std::unexpected(server.error());
  pipeline->leave_out_port((*server)->port());
  spdlog::info("gRPC server listening on {}",
               to_string(ListenAddress(config.grpc_address, (*server)->port())));
  (*health)->set_ready(true);

  const int signal = serve_until_signal(signals, *pipeline, **server);
  spdlog::info("Shutting down ({})...", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second signal ends it at once
  end_by_force_after(config.shutdown_timeout_secs);
  (*health)->set_ready(false);
  pipeline->stop();  // ends the streams, so that the server has nothing to wait for
  const auto handed_over_by = std::chrono::steady_clock::now() + half_of_shutdown(config);
  exporters->begin_stop();
  (*server)->stop(std::chrono::system_clock::now() + farewell(config));
  exporters->stop_by(handed_over_by);
  return exporters->add_to(pipeline->status());
}

int run(const LoadedConfig& loaded) {
  const auto& config = loaded.config;
  const auto signals = awaited_signals(config);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made
  spdlog::info("orb8-agent {} on {}", version(), config.node_name);
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", warning);
  if (!check_machine()) return EXIT_FAILURE;
  const auto last = serve(config, signals);
  if (!last) {
    spdlog::error("{}", last.error().what);
    return EXIT_FAILURE;
  }
  spdlog::info("Stopped: {} flows, {} events, {} lost", last->active_flows, last->events_processed,
               last->events_dropped);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace orb8

int main(int argc, char** argv) {
  const auto options = orb8::parse_options(argc, argv);
  if (!options.loaded) return options.exit_status;
  orb8::init_log(options.loaded->config.log_level);
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // our own lines say what its would
  return orb8::run(*options.loaded);
}
