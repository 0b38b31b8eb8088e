// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/pipeline.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/unique_fd.h"
#include "core/kernel/network_state.h"
#include "core/pipeline/attribution.h"
#include "core/pipeline/cluster.h"
#include "core/pipeline/flow_desk.h"
#include "core/pipeline/flow_path.h"
#include "core/pipeline/health.h"
#include "core/pipeline/open_source.h"

namespace orb8 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKernelFilters = 16;  // beyond these the kernel sends every packet
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
// News of Kubernetes come in bursts: flows that wait for a name get it within this.
constexpr auto kGatherNews = std::chrono::milliseconds(50);

// What an epoll event says beside "ready".
enum Wake : std::uint32_t { kOrder, kUrgent, kMayWait };

std::int64_t wall_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t steady_now_ns() {
  return Clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

FlowTable::Limits to_limits(const Config& config) {
  FlowTable::Limits limits;
  limits.max_flows = config.max_flows;
  limits.idle_timeout_ns = config.flow_timeout_secs * kNsPerSecond;
  return limits;
}

// Inode number of the network namespace that this thread is in; 0 where there is no /proc.
std::uint32_t own_netns() {
  struct stat about = {};
  if (::stat("/proc/thread-self/ns/net", &about) != 0) return 0;
  return static_cast<std::uint32_t>(about.st_ino);
}

class PipelineThread final : public Pipeline {
 public:
  PipelineThread(const Config& config, std::unique_ptr<FlowSource> source, KubeStore* kube,
                 std::unique_ptr<Cluster> cluster)
      : config_(config),
        cluster_(std::move(cluster)),
        kube_(kube),
        source_(std::move(source)),
        identity_(Identity::open({.node = config.node_name, .kube = kube}, steady_now_ns())),
        namer_({.node = config.node_name, .netns = own_netns(), .kube = kube}),
        table_(to_limits(config)),
        hub_(config.max_streams),
        desk_([this] { order(); }),
        attribution_(*identity_, namer_, table_, kube),
        path_({.source = *source_,
               .attribution = attribution_,
               .table = table_,
               .hub = hub_,
               .desk = desk_}) {}
  PipelineThread(const PipelineThread&) = delete;
  PipelineThread& operator=(const PipelineThread&) = delete;
  ~PipelineThread() override { PipelineThread::stop(); }

  Result<void> run() {
    epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    orders_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll_ || !orders_) return sys_error(errno, "make the pipeline's epoll");
    if (auto ok = watch(orders_.get(), kOrder); !ok) return ok;
    for (const auto& wait : source_->wait_fds()) {
      if (auto ok = watch(wait.fd, wait.may_wait ? kMayWait : kUrgent); !ok) return ok;
    }
    for (const int fd : identity_->fds()) {
      if (fd < 0) continue;
      if (auto ok = watch(fd, kOrder); !ok) return ok;
    }
    if (kube_ != nullptr) {
      if (auto ok = watch(kube_->fd(), kOrder); !ok) return ok;
    }
    if (auto ok = follow_network(); !ok) spdlog::warn("{}", ok.error().what);
    if (kube_ != nullptr) follow_conntrack();
    hub_.on_packet_change([this] { order(); });
    started_ns_ = wall_now_ns();
    take_snapshot();  // before anyone asks
    thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
    return {};
  }

  std::shared_ptr<const FlowSnapshot> flows() override { return desk_.ask(); }

  Result<Subscription> subscribe(FlowFilter filter, bool packets) override {
    return hub_.subscribe({.filter = std::move(filter),
                           .packets = packets,
                           .capacity = config_.broadcast_channel_size});
  }

  Status status() const override {
    Status status;
    {
      const std::lock_guard lock(status_mutex_);
      status = status_;
    }
    // What changes between snapshots without the pipeline's doing.
    status.subscribers = static_cast<std::uint32_t>(hub_.subscribers());
    status.subscriber_drops = hub_.dropped();
    status.events_dropped += status.subscriber_drops;
    return status;
  }

  std::chrono::nanoseconds standstill() const override {
    return std::chrono::nanoseconds(steady_now_ns() - came_round_ns_.load());
  }
  const KubeStore* kube() const override { return kube_; }

  void leave_out_port(std::uint16_t port) override {
    own_port_.store(port);
    order();
  }

  void stop() override {
    const std::lock_guard lock(stop_mutex_);
    if (thread_.joinable()) {
      thread_.request_stop();
      order();
      thread_.join();
    }
    hub_.close();
  }

 private:
  Result<void> watch(int fd, Wake wake) {
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLET;
    event.data.u32 = wake;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return sys_error(errno, "watch a descriptor of the flow source");
    }
    return {};
  }

  // So that this machine's own addresses are not taken for others'. Without, only loopback's are.
  Result<void> follow_network() {
    auto opened = NetworkState::open();
    if (!opened) return std::unexpected(opened.error());
    network_ = std::move(*opened);
    namer_.set_own_addresses(network_->addresses());
    return watch(network_->fd(), kOrder);
  }

  void follow_conntrack() {
    auto conntrack = Conntrack::open();
    if (conntrack) return namer_.follow(std::move(*conntrack));
    no_conntrack_ = conntrack.error().what;
    spdlog::warn("{}: Services are shown without the pods behind them", no_conntrack_);
  }

  // Names that are missing are said, and are no reason to call the agent ill: flows are complete.
  void add_names(std::vector<Component>& all) const {
    auto names = identity_->components();
    if (const auto* conntrack = namer_.conntrack()) names.push_back(conntrack->component());
    if (!no_conntrack_.empty()) names.push_back({.name = "conntrack", .reason = no_conntrack_});
    for (auto& component : names) {
      component.healthy = true;
      all.push_back(std::move(component));
    }
  }

  void refresh_network() {
    if (!network_) return;
    if (const auto changed = network_->refresh(); changed && *changed) {
      namer_.set_own_addresses(network_->addresses());
    }
  }

  // Any thread: there is something to do that no descriptor of the source tells.
  void order() const {
    const std::uint64_t one = 1;
    if (::write(orders_.get(), &one, sizeof(one)) < 0) return;  // full: it wakes up anyway
  }

  void loop(const std::stop_token& stop) {
    const auto interval = std::chrono::milliseconds(config_.snapshot_interval_ms);
    auto next_snapshot = Clock::now() + interval;
    Gathering batch;
    while (!stop.stop_requested()) {
      came_round_ns_.store(steady_now_ns());
      auto until = batch.end ? std::min(*batch.end, next_snapshot) : next_snapshot;
      if (next_naming_) until = std::min(until, *next_naming_);
      const bool urgent = wait(until, batch);
      follow_orders();
      refresh_network();
      path_.answer_readers();
      identity_->handle_ready(steady_now_ns());
      const auto now = Clock::now();
      if (next_naming_ && now >= *next_naming_) {
        next_naming_.reset();
        path_.name_late();
      }
      if (urgent || (batch.end && now >= *batch.end)) batch = {.end = drain(now)};
      if (now >= next_snapshot) {
        take_snapshot();
        // Late (a suspended machine, a stopped process): go on from here, do not catch up.
        next_snapshot = std::max(next_snapshot + interval, Clock::now());
      }
    }
    take_what_is_left();
    take_snapshot();
    desk_.finish(table_.share());
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

  // Records gather in the rings until a batch of them is drained.
  struct Gathering {
    std::optional<Clock::time_point> end = {};  // drain then; none: nothing is there
    bool woken = false;                         // by its first record
  };

  // Waits for an event, at most to `until`. A ring's first wake-up since it was drained says that a
  // batch gathers; one of a later wait means that the ring fills. True: drain now.
  bool wait(Clock::time_point until, Gathering& batch) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    std::array<epoll_event, 8> events = {};
    const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(std::max<std::int64_t>(left, 0)));
    const bool woken = batch.woken;  // before this wait: two rings may wake in one
    bool urgent = false;
    for (int i = 0; i < ready; ++i) {
      const auto wake = events.at(static_cast<std::size_t>(i)).data.u32;
      if (wake == kUrgent || (wake == kMayWait && woken)) urgent = true;
      if (wake == kMayWait) batch.woken = true;
      if (wake == kMayWait && !batch.end) {
        batch.end = Clock::now() + std::chrono::milliseconds(config_.poll_interval_ms);
      }
    }
    return urgent;
  }

  void follow_orders() {
    std::uint64_t ignored = 0;
    if (::read(orders_.get(), &ignored, sizeof(ignored)) < 0 && errno != EAGAIN) {
      spdlog::error("read the pipeline's eventfd: {}", errno);
    }
    if (kube_ != nullptr && kube_->take_notice() && !next_naming_) {
      next_naming_ = Clock::now() + kGatherNews;
    }
    if (const auto port = own_port_.load(); port != set_port_) {
      source_->leave_out_port(port);
      set_port_ = port;
    }
    if (const auto generation = hub_.packet_generation(); generation != packet_generation_) {
      if (auto ok = source_->want_packets(hub_.packet_filters(kKernelFilters)); !ok) {
        spdlog::warn("{}", ok.error().what);
      }
      packet_generation_ = generation;
    }
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
    if (kube_ != nullptr) kube_->tick();
    const auto ok = path_.take_snapshot(now_ns, which);
    if (!ok && collect_error_ != ok.error().what) spdlog::error("{}", ok.error().what);
    collect_error_ = ok ? "" : ok.error().what;
    publish_status(now_ns);
  }

  void publish_status(std::int64_t now_ns) {
    Status status;
    status.source = source_->status();
    auto& seen = status.source.accounting;
    if (status.source.counted_by_table) seen.counted = path_.moved();
    lost_.observe(seen.lost.packets, now_ns);
    evicted_.observe(table_.evicted(), now_ns);
    Component collect{
        .name = "flow-source", .healthy = collect_error_.empty(), .reason = collect_error_};
    status.components = {collect, lost_.component(now_ns), evicted_.component(now_ns)};
    status.components.insert(status.components.end(), status.source.components.begin(),
                             status.source.components.end());
    add_names(status.components);
    if (kube_ != nullptr) {
      const auto known = kube_->counts();
      pods_evicted_.observe(known.evicted_pods, now_ns);
      status.components.push_back(pods_evicted_.component(now_ns));
      status.pods_tracked = static_cast<std::uint32_t>(known.pods);
      status.pods_evicted = known.evicted_pods;
    }
    if (cluster_) {
      cluster_->tell_first_sync();
      status.components.push_back(cluster_->component());
    }
    status.events_processed = path_.events_processed();
    status.events_dropped = seen.lost.packets + seen.packet_events_lost;
    status.flows_evicted = table_.evicted();
    status.flows_expired = table_.expired();
    status.active_flows = static_cast<std::uint32_t>(table_.size());
    status.max_flows = config_.max_flows;
    status.started_ns = started_ns_;
    const std::lock_guard lock(status_mutex_);
    status_ = std::move(status);
  }

  const Config config_;
  std::unique_ptr<Cluster> cluster_;  // null: nobody is asked
  KubeStore* kube_;
  std::unique_ptr<FlowSource> source_;
  std::unique_ptr<Identity> identity_;
  FlowNamer namer_;
  std::optional<NetworkState> network_;
  std::string no_conntrack_;  // why
  FlowTable table_;
  StreamHub hub_;
  FlowDesk desk_;
  Attribution attribution_;
  FlowPath path_;
  UniqueFd epoll_;
  UniqueFd orders_;
  std::atomic<std::uint16_t> own_port_ = 0;
  std::uint16_t set_port_ = 0;
  std::uint64_t packet_generation_ = 0;
  std::int64_t started_ns_ = 0;
  std::atomic<std::int64_t> came_round_ns_ = steady_now_ns();
  Clock::time_point next_expiration_;
  std::optional<Clock::time_point> next_naming_;  // none: there are no news
  std::string collect_error_;
  LossWatch lost_{"flow-accounting",
                  "packets lost in the last minute: the kernel's map or ring is full (raise "
                  "max_flows or ring_buffer_size)"};
  LossWatch evicted_{"flow-table",
                     "flows evicted in the last minute: the table is full (raise max_flows)"};
  LossWatch pods_evicted_{"pod-cache",
                          "running pods dropped in the last minute: there are more than "
                          "max_pod_cache (raise it)"};
  mutable std::mutex status_mutex_;
  Status status_;
  std::mutex stop_mutex_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::start(const Config& config) {
  auto source = open_source(config);
  if (!source) return std::unexpected(source.error());
  auto cluster = Cluster::open(config);
  auto* kube = cluster ? &cluster->store() : nullptr;
  auto pipeline =
      std::make_unique<PipelineThread>(config, std::move(*source), kube, std::move(cluster));
  if (auto ok = pipeline->run(); !ok) return std::unexpected(ok.error());
  return pipeline;
}

Result<std::unique_ptr<Pipeline>> Pipeline::start(const Config& config,
                                                  std::unique_ptr<FlowSource> source,
                                                  KubeStore* kube) {
  auto pipeline = std::make_unique<PipelineThread>(config, std::move(source), kube, nullptr);
  if (auto ok = pipeline->run(); !ok) return std::unexpected(ok.error());
  return pipeline;
}

}  // namespace orb8
