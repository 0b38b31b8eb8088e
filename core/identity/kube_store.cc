// SPDX-License-Identifier: Apache-2.0
#include "core/identity/kube_store.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <utility>
#include <variant>

#include "core/base/clock.h"

namespace orb8 {
namespace {

KnownPodRef copy_of(const KnownPodRef* pod) {
  return pod == nullptr ? nullptr : *pod;
}

}  // namespace

KubeStore::KubeStore(PodIndexOptions options, Clock clock)
    : clock_(clock ? std::move(clock) : steady_now_ns),
      pods_(std::move(options)),
      notice_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void KubeStore::set(k8s::Object object) {
  const std::lock_guard lock(mutex_);
  if (std::visit([this](auto& of_kind) { return put(std::move(of_kind)); }, object)) changed();
}

bool KubeStore::put(k8s::Pod pod) {
  auto zone = nodes_.zone_of(pod.node);
  const bool fresh = pods_.by_uid(pod.uid) == nullptr;
  auto gained = pod.ips;
  const auto has = [this, uid = pod.uid](const Addr& addr) {
    const auto* holder = pods_.by_ip(addr);
    return holder != nullptr && (*holder)->endpoint.uid == uid;
  };
  std::erase_if(gained, has);
  const bool any = pods_.set(std::move(pod), std::move(zone));
  std::erase_if(gained, [&](const Addr& addr) { return !has(addr); });
  note(gained);
  news_.pods |= fresh;
  look_whether_complete();  // a pod may have had to go
  return any;
}

bool KubeStore::put(k8s::Node node) {
  const auto addrs = node.ips;
  const auto change = nodes_.set(std::move(node));
  stale_zones_ |= change.zones;
  if (change.changed) note(addrs);
  return change.changed;
}

bool KubeStore::put(k8s::Service service) {
  const bool headless = service.cluster_ips.empty();
  auto addrs = headless ? services_.endpoints_of(service) : service.cluster_ips;
  addrs.insert(addrs.end(), service.external_ips.begin(), service.external_ips.end());
  std::vector<std::uint16_t> node_ports;
  for (const auto& port : service.ports) {
    if (port.node_port != 0) node_ports.push_back(port.node_port);
  }
  const bool any = services_.set(std::move(service));
  if (!any) return false;
  news_.node_ports.insert(node_ports.begin(), node_ports.end());
  note(addrs);
  return true;
}

bool KubeStore::put(k8s::EndpointSlice slice) {
  const auto addrs = slice.ips;
  const bool any = services_.set(std::move(slice));
  if (any) note(addrs);
  return any;
}

void KubeStore::gone(k8s::Kind kind, std::string_view uid) {
  const std::lock_guard lock(mutex_);
  bool any = false;
  switch (kind) {
    case k8s::Kind::kPod:
      any = pods_.gone(uid, clock_());
      break;
    case k8s::Kind::kService:
      any = services_.gone_service(uid);
      break;
    case k8s::Kind::kNode:
      any = nodes_.gone(uid).changed;
      break;
    case k8s::Kind::kEndpointSlice:
      any = services_.gone_slice(uid);
      break;
  }
  if (any) changed();
}

void KubeStore::listed(k8s::Kind kind, const std::unordered_set<std::string>& uids) {
  const std::lock_guard lock(mutex_);
  switch (kind) {
    case k8s::Kind::kPod:
      pods_.keep(uids, clock_());
      break;
    case k8s::Kind::kService:
      services_.keep_services(uids);
      break;
    case k8s::Kind::kNode:
      nodes_.keep(uids);
      break;
    case k8s::Kind::kEndpointSlice:
      services_.keep_slices(uids);
      break;
  }
  bring_zones();
  auto& first = listed_.at(static_cast<std::size_t>(kind));
  if (!std::exchange(first, true) && kind == k8s::Kind::kPod) {
    spdlog::info("Pod watcher initial sync complete. Tracking {} pods (by IP)", pods_.size());
  }
  look_whether_complete();
  changed();
  look_at_all();
}

// Nobody may be reading.
void KubeStore::note(const std::vector<Addr>& addrs) {
  constexpr std::size_t kMost = 4096;
  news_.addrs.insert(addrs.begin(), addrs.end());
  if (news_.addrs.size() > kMost) look_at_all();
}

void KubeStore::look_at_all() {
  news_ = {};
  lists_.fetch_add(1, std::memory_order_release);
}

KubeNews KubeStore::take_news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

void KubeStore::look_whether_complete() {
  complete_ = listed_[0] && listed_[1] && listed_[2] && pods_.knows_all();
}

void KubeStore::tick() {
  const std::lock_guard lock(mutex_);
  bring_zones();
  if (pods_.expire(clock_())) changed();
}

// Not with each node: a change of one looks at all pods.
void KubeStore::bring_zones() {
  if (!std::exchange(stale_zones_, false)) return;
  pods_.set_zones(
      [this](const std::string& node) -> const std::string& { return nodes_.zone_of(node); });
  changed();
}

KubeSide KubeStore::side_of(const Addr& addr, std::uint16_t port, std::uint8_t protocol,
                            bool own) const {
  KubeSide side;
  if (const auto* pod = pods_.by_ip(addr)) {
    side.endpoint = endpoint_of(*pod);
  } else {
    side.endpoint = nodes_.by_ip(addr);
  }
  const bool node = own || (side.endpoint && side.endpoint->kind == EndpointKind::kNode);
  auto match = services_.find(addr, port, protocol, node);
  if (match.address && !side.endpoint) side.endpoint = match.service;
  if (match.endpoint && node) {
    if (auto pod = by_endpoint(*match.service, addr, port, protocol))
      side.endpoint = std::move(pod);
  }
  side.service = std::move(match.service);
  if (!side.endpoint) side.endpoint = nodes_.by_gateway(addr);
  side.for_pods = !side.endpoint && nodes_.has_for_pods(addr);
  return side;
}

KubeStore::Sides KubeStore::sides_of(const FlowKey& key, bool src_own, bool dst_own) const {
  // A type and a code are no ports.
  const bool ports = !is_icmp(key.protocol);
  const std::lock_guard lock(mutex_);
  return {.src = side_of(key.src, ports ? key.src_port : std::uint16_t{0}, key.protocol, src_own),
          .dst = side_of(key.dst, ports ? key.dst_port : std::uint16_t{0}, key.protocol, dst_own)};
}

EndpointRef KubeStore::endpoint_at(const Addr& addr) const {
  const std::lock_guard lock(mutex_);
  if (const auto* pod = pods_.by_ip(addr)) return endpoint_of(*pod);
  return nodes_.by_ip(addr);
}

EndpointRef KubeStore::by_endpoint(const Endpoint& service, const Addr& addr, std::uint16_t port,
                                   std::uint8_t protocol) const {
  const auto uid = services_.pod_at(service, addr, port, protocol);
  return uid.empty() ? nullptr : endpoint_of(copy_of(pods_.by_uid(uid)));
}

EndpointRef KubeStore::behind(const Endpoint& service, const Addr& addr, std::uint16_t port,
                              std::uint8_t protocol) const {
  const std::lock_guard lock(mutex_);
  if (const auto* pod = pods_.by_ip(addr)) return endpoint_of(*pod);
  if (auto pod = by_endpoint(service, addr, port, protocol)) return pod;
  return nodes_.by_ip(addr);
}

EndpointRef KubeStore::node_named(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return nodes_.by_name(name);
}

KnownPodRef KubeStore::pod_of(const ContainerRef& container) const {
  const std::lock_guard lock(mutex_);
  if (const auto* pod = pods_.by_container(container.id)) return *pod;
  if (container.pod_uid.empty()) return nullptr;
  return copy_of(pods_.by_cgroup_uid(container.pod_uid));
}

KnownPodRef KubeStore::pod_with_uid(std::string_view uid) const {
  const std::lock_guard lock(mutex_);
  return copy_of(pods_.by_uid(uid));
}

void KubeStore::cgroup_appeared(const std::string& pod_uid) {
  if (pod_uid.empty()) return;
  const std::lock_guard lock(mutex_);
  ++cgroups_[pod_uid];
}

void KubeStore::cgroup_gone(const std::string& pod_uid) {
  const std::lock_guard lock(mutex_);
  const auto found = cgroups_.find(pod_uid);
  if (found != cgroups_.end() && --found->second == 0) cgroups_.erase(found);
}

std::vector<KubeStore::ListedPod> KubeStore::pods() const {
  const std::lock_guard lock(mutex_);
  std::vector<ListedPod> listed;
  for (auto& pod : pods_.pods()) {
    const bool cgroup = cgroups_.contains(pod->endpoint.uid) || cgroups_.contains(pod->static_uid);
    listed.push_back({.pod = std::move(pod), .cgroup = cgroup});
  }
  return listed;
}

void KubeStore::changed() {
  version_.fetch_add(1, std::memory_order_release);
  if (noticed_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(notice_.get(), &one, sizeof(one));
}

bool KubeStore::take_notice() {
  std::uint64_t count = 0;
  if (::read(notice_.get(), &count, sizeof(count)) != sizeof(count)) return false;
  noticed_.store(false);  // what changes from here on writes again
  return true;
}

KubeCounts KubeStore::counts() const {
  const std::lock_guard lock(mutex_);
  return {.pods = pods_.size(),
          .nodes = nodes_.size(),
          .services = services_.size(),
          .evicted_pods = pods_.evicted()};
}

}  // namespace orb8
