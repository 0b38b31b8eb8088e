// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/pipeline.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/kernel/network_state.h"
#include "core/metrics/process_metrics.h"
#include "core/metrics/status_metrics.h"
#include "core/pipeline/attribution.h"
#include "core/pipeline/cluster.h"
#include "core/pipeline/flow_desk.h"
#include "core/pipeline/flow_path.h"
#include "core/pipeline/metering.h"
#include "core/pipeline/open_source.h"
#include "core/pipeline/packet_orders.h"
#include "core/pipeline/status_board.h"
#include "core/pipeline/wakeups.h"

namespace orb8 {
namespace {

using Clock = Wakeups::Clock;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
// News of Kubernetes come in bursts: flows that wait for a name get it within this.
constexpr auto kGatherNews = std::chrono::milliseconds(50);

FlowTable::Limits to_limits(const Config& config) {
  return {.max_flows = config.max_flows,
          .idle_timeout_ns = config.flow_timeout_secs * kNsPerSecond};
}

FlowHistory::Limits history_limits(const Config& config) {
  return {.max_flows = config.history_records, .max_age_ns = config.history_secs * kNsPerSecond};
}

// Inode number of the network namespace that this thread is in; 0 where there is no /proc.
std::uint32_t own_netns() {
  struct stat about = {};
  if (::stat("/proc/thread-self/ns/net", &about) != 0) return 0;
  return static_cast<std::uint32_t>(about.st_ino);
}

// What is around the thread.
struct Surroundings {
  std::unique_ptr<FlowSource> source;
  KubeStore* kube = nullptr;
  std::unique_ptr<Cluster> cluster;  // null: nobody is asked
};

class PipelineThread final : public Pipeline {
 public:
  PipelineThread(const Config& config, Wakeups wakeups, Surroundings around)
      : config_(config),
        wakeups_(std::move(wakeups)),
        cluster_(std::move(around.cluster)),
        kube_(around.kube),
        source_(std::move(around.source)),
        identity_(Identity::open({.node = config.node_name, .kube = kube_}, steady_now_ns())),
        namer_({.node = config.node_name, .netns = own_netns(), .kube = kube_}),
        table_(to_limits(config)),
        history_(history_limits(config), wall_now_ns()),
        hub_(config.max_streams),
        desk_([this] { wakeups_.order(); }),
        metering_(config, kube_, [this] { wakeups_.order(); }),
        attribution_(*identity_, namer_, table_, kube_),
        path_({.source = *source_,
               .attribution = attribution_,
               .table = table_,
               .history = history_,
               .hub = hub_,
               .desk = desk_,
               .metering = metering_}),
        packet_orders_(*source_, hub_),
        board_({.source = *source_,
                .path = path_,
                .packet_orders = packet_orders_,
                .table = table_,
                .history = history_,
                .hub = hub_,
                .identity = *identity_,
                .namer = namer_,
                .metering = metering_,
                .max_flows = config.max_flows,
                .kube = kube_,
                .cluster = cluster_.get()}) {}
  PipelineThread(const PipelineThread&) = delete;
  PipelineThread& operator=(const PipelineThread&) = delete;
  ~PipelineThread() override { PipelineThread::stop(); }

  Result<void> run() {
    for (const auto& wait : source_->wait_fds()) {
      const auto by = wait.may_wait ? Wakeups::By::kMayWait : Wakeups::By::kUrgent;
      if (auto ok = wakeups_.watch(wait.fd, by); !ok) return ok;
    }
    for (const int fd : identity_->fds()) {
      if (fd < 0) continue;
      if (auto ok = wakeups_.watch(fd, Wakeups::By::kOrder); !ok) return ok;
    }
    if (kube_ != nullptr) {
      if (auto ok = wakeups_.watch(kube_->fd(), Wakeups::By::kOrder); !ok) return ok;
    }
    if (auto ok = follow_network(); !ok) spdlog::warn("{}", ok.error().what);
    if (kube_ != nullptr) follow_conntrack();
    hub_.on_packet_change([this] { wakeups_.order(); });
    board_.start(wall_now_ns());
    take_snapshot();  // before anyone asks
    thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
    return {};
  }

  FlowView view(bool history) override { return desk_.ask(history); }

  Result<Subscription> subscribe(FlowSelection selection, bool packets) override {
    return hub_.subscribe({.selection = std::move(selection),
                           .packets = packets,
                           .capacity = config_.broadcast_channel_size});
  }

  Result<Subscription> subscribe(SubscribeOptions options) override {
    return hub_.subscribe(std::move(options));
  }

  Status status() const override { return board_.status(); }

  std::chrono::nanoseconds standstill() const override {
    return std::chrono::nanoseconds(steady_now_ns() - came_round_ns_.load());
  }
  const KubeStore* kube() const override { return kube_; }

  void collect_metrics(const TakeFamilyFn& take,
                       const std::function<void(Status&)>& complete) override {
    metering_.collect(desk_, take);
    auto all = status();
    complete(all);
    collect_status_metrics(all, standstill(), wall_now_ns(), take);
    collect_process_metrics(take);
  }

  void leave_out_port(std::uint16_t port) override {
    own_port_.store(port);
    wakeups_.order();
  }

  void stop() override {
    const std::lock_guard lock(stop_mutex_);
    if (thread_.joinable()) {
      thread_.request_stop();
      wakeups_.order();
      thread_.join();
    }
    hub_.close();
  }

 private:
  // So that this machine's own addresses are not taken for others'. Without, only loopback's are.
  Result<void> follow_network() {
    auto opened = NetworkState::open();
    if (!opened) return std::unexpected(opened.error());
    network_ = std::move(*opened);
    namer_.set_own_addresses(network_->addresses());
    return wakeups_.watch(network_->fd(), Wakeups::By::kOrder);
  }

  void follow_conntrack() {
    auto conntrack = Conntrack::open(steady_now_ns());
    if (conntrack) return namer_.follow(std::move(*conntrack));
    const auto& why = conntrack.error().what;
    spdlog::warn("{}: Services are shown without the pods behind them", why);
    board_.no_conntrack(why);
  }

  void refresh_network() {
    if (!network_) return;
    if (const auto changed = network_->refresh(); changed && *changed) {
      namer_.set_own_addresses(network_->addresses());
    }
  }

  void loop(const std::stop_token& stop) {
    const auto interval = std::chrono::milliseconds(config_.snapshot_interval_ms);
    auto next_snapshot = Clock::now() + interval;
    while (!stop.stop_requested()) {
      came_round_ns_.store(steady_now_ns());
      const bool batch =
          wakeups_.wait(std::min(next_snapshot, next_naming_.value_or(next_snapshot)));
      follow_orders();
      refresh_network();
      path_.answer_readers();
      identity_->handle_ready(steady_now_ns());
      const auto now = Clock::now();
      if (next_naming_ && now >= *next_naming_) {
        next_naming_.reset();
        path_.name_late();
      }
      if (batch) wakeups_.drained(drain(now));
      if (now >= next_snapshot) {
        take_snapshot();
        // Late (a suspended machine, a stopped process): go on from here, do not catch up.
        next_snapshot = std::max(next_snapshot + interval, Clock::now());
      }
    }
    take_what_is_left();
    take_snapshot();
    desk_.finish(path_.view(true));
    metering_.finish();
  }

  // Nothing new comes into the packet ring from here on; what came before is told, for a while.
  void take_what_is_left() {
    constexpr auto kAtMost = std::chrono::milliseconds(500);
    if (auto ok = source_->want_packets({}); !ok) spdlog::warn("{}", ok.error().what);
    const auto end = Clock::now() + kAtMost;
    while (path_.take_ready(config_.max_batch_size) == config_.max_batch_size &&
           Clock::now() < end) {
    }
  }

  void follow_orders() {
    if (kube_ != nullptr && kube_->take_notice() && !next_naming_) {
      next_naming_ = Clock::now() + kGatherNews;
    }
    if (const auto port = own_port_.load(); port != set_port_) {
      source_->leave_out_port(port);
      set_port_ = port;
    }
    packet_orders_.follow(Clock::now());
  }

  // When to drain again: the rings may have filled a little since, without a wake-up.
  std::optional<Clock::time_point> drain(Clock::time_point now) {
    const auto handled = path_.take_ready(config_.max_batch_size);
    if (handled == config_.max_batch_size) return now;
    if (handled == 0) return std::nullopt;
    return now + std::chrono::milliseconds(config_.poll_interval_ms);
  }

  void take_snapshot() {
    const auto now_ns = wall_now_ns();
    const auto now = Clock::now();
    auto which = FlowTable::Due::kClosed;
    if (now >= next_expiration_) {
      which = FlowTable::Due::kAll;
      next_expiration_ = now + std::chrono::seconds(config_.expiration_interval_secs);
    }
    identity_->handle_ready(steady_now_ns());
    if (cluster_) cluster_->tick(now);
    if (kube_ != nullptr) kube_->tick();
    const auto ok = path_.take_snapshot(now_ns, which);
    if (!ok && collect_error_ != ok.error().what) spdlog::error("{}", ok.error().what);
    collect_error_ = ok ? "" : ok.error().what;
    board_.publish(ok, now_ns);
  }

  const Config config_;
  Wakeups wakeups_;
  std::unique_ptr<Cluster> cluster_;  // null: nobody is asked
  KubeStore* kube_;
  std::unique_ptr<FlowSource> source_;
  std::unique_ptr<Identity> identity_;
  FlowNamer namer_;
  std::optional<NetworkState> network_;
  FlowTable table_;
  FlowHistory history_;
  StreamHub hub_;
  FlowDesk desk_;
  Metering metering_;
  Attribution attribution_;
  FlowPath path_;
  PacketOrders packet_orders_;
  StatusBoard board_;
  std::atomic<std::uint16_t> own_port_ = 0;
  std::uint16_t set_port_ = 0;
  std::atomic<std::int64_t> came_round_ns_ = steady_now_ns();
  Clock::time_point next_expiration_;
  std::optional<Clock::time_point> next_naming_;  // none: there are no news
  std::string collect_error_;
  std::mutex stop_mutex_;
  std::jthread thread_;  // last: it uses all of the above
};

Result<std::unique_ptr<Pipeline>> start_thread(const Config& config, Surroundings around) {
  auto wakeups = Wakeups::open(std::chrono::milliseconds(config.poll_interval_ms));
  if (!wakeups) return std::unexpected(wakeups.error());
  auto thread = std::make_unique<PipelineThread>(config, std::move(*wakeups), std::move(around));
  if (auto ok = thread->run(); !ok) return std::unexpected(ok.error());
  return thread;
}

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::start(const Config& config) {
  auto source = open_source(config);
  if (!source) return std::unexpected(source.error());
  auto cluster = Cluster::open(config, k8s::AccessPlaces::of_process());
  auto* kube = cluster ? &cluster->store() : nullptr;
  return start_thread(config,
                      {.source = std::move(*source), .kube = kube, .cluster = std::move(cluster)});
}

Result<std::unique_ptr<Pipeline>> Pipeline::start(const Config& config,
                                                  std::unique_ptr<FlowSource> source,
                                                  KubeStore* kube) {
  return start_thread(config, {.source = std::move(source), .kube = kube, .cluster = nullptr});
}

}  // namespace orb8
