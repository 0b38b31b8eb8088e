// SPDX-License-Identifier: Apache-2.0
#include "core/identity/pod_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/identity/workload.h"

namespace orb8 {
namespace {

template <class Places, class Key, class Place>
void erase_from(Places& places, const Key& key, const Place& place) {
  for (auto [at, end] = places.equal_range(key); at != end; ++at) {
    if (at->second == place) {
      places.erase(at);
      return;
    }
  }
}

KnownPodRef known(k8s::Pod pod, std::string zone, bool labels) {
  auto workload = workload_of(pod);
  auto made = std::make_shared<KnownPod>();
  auto& endpoint = made->endpoint;
  endpoint.kind = EndpointKind::kPod;
  endpoint.name_space = std::move(pod.name_space);
  endpoint.name = std::move(pod.name);
  endpoint.uid = std::move(pod.uid);
  endpoint.workload_kind = std::move(workload.kind);
  endpoint.workload = std::move(workload.name);
  endpoint.node = std::move(pod.node);
  endpoint.zone = std::move(zone);
  if (labels) endpoint.labels = std::move(pod.labels);
  made->ips = std::move(pod.ips);
  std::ranges::sort(made->ips);  // each once: a list that says one twice would be linked twice
  const auto twice = std::ranges::unique(made->ips);
  made->ips.erase(twice.begin(), twice.end());
  made->containers = std::move(pod.containers);
  made->static_uid = std::move(pod.static_uid);
  made->start_ns = pod.start_ns;
  made->host_network = pod.host_network;
  made->finished = pod.finished;
  return made;
}

}  // namespace

template <class Key, class Hash, class Given>
const KnownPodRef* PodIndex::best(const Places<Key, Hash>& places, const Given& key) {
  const Slot* best = nullptr;
  for (auto [at, end] = places.equal_range(key); at != end; ++at) {
    if (best == nullptr || before(*at->second, *best)) best = &*at->second;
  }
  return best == nullptr ? nullptr : &best->pod;
}

bool PodIndex::set(k8s::Pod pod, std::string zone) {
  const auto found = by_uid_.find(pod.uid);
  if (zone.empty() && found != by_uid_.end()) {  // the node may have gone first
    const auto& before = found->second->pod->endpoint;
    if (before.node == pod.node) zone = before.zone;
  }
  auto now = known(std::move(pod), std::move(zone), options_.labels);
  if (found == by_uid_.end()) {
    insert(std::move(now));
    make_room();
    return true;
  }
  const auto place = found->second;
  if (place->rank != kGone && *place->pod == *now) return false;
  replace(place, std::move(now));
  move(place, rank_of(*place->pod));
  return true;
}

bool PodIndex::gone(std::string_view uid, std::int64_t now_ns) {
  const auto found = by_uid_.find(uid);
  if (found == by_uid_.end() || found->second->rank == kGone) return false;
  mark_gone(found->second, now_ns);
  return true;
}

void PodIndex::keep(const std::unordered_set<std::string>& uids, std::int64_t now_ns) {
  for (auto& line :
       {std::ref(lines_[kFinished]), std::ref(lines_[kElsewhere]), std::ref(lines_[kHere])}) {
    for (auto at = line.get().begin(); at != line.get().end();) {
      const auto place = at++;  // before it is moved to another line
      if (!uids.contains(place->pod->endpoint.uid)) mark_gone(place, now_ns);
    }
  }
}

void PodIndex::set_zones(const ZoneOf& zone_of) {
  for (auto& line : lines_) {
    for (auto place = line.begin(); place != line.end(); ++place) {
      const auto& zone = zone_of(place->pod->endpoint.node);
      if (zone.empty() || place->pod->endpoint.zone == zone) continue;
      auto now = std::make_shared<KnownPod>(*place->pod);
      now->endpoint.zone = zone;
      replace(place, std::move(now));
    }
  }
}

bool PodIndex::expire(std::int64_t now_ns) {
  auto& gone = lines_[kGone];
  bool any = false;
  while (!gone.empty() && now_ns - gone.front().gone_ns >= options_.grace_ns) {
    drop(gone.begin());
    any = true;
  }
  return any;
}

void PodIndex::insert(KnownPodRef pod) {
  const auto rank = rank_of(*pod);
  auto& line = lines_[rank];
  line.push_back({.pod = std::move(pod), .rank = rank});
  link(std::prev(line.end()));
}

void PodIndex::replace(Place place, KnownPodRef pod) {
  unlink(place);  // keys are views into the pod that goes
  place->pod = std::move(pod);
  link(place);
}

void PodIndex::move(Place place, Rank rank) {
  auto& from = lines_[place->rank];
  place->rank = rank;
  lines_[rank].splice(lines_[rank].end(), from, place);
  find_holders(*place->pod);  // who lives comes before who was deleted
}

void PodIndex::drop(Place place) {
  unlink(place);
  lines_[place->rank].erase(place);
}

void PodIndex::link(Place place) {
  const auto& pod = *place->pod;
  by_uid_.emplace(pod.endpoint.uid, place);
  if (!pod.static_uid.empty()) by_static_uid_.emplace(pod.static_uid, place);
  for (const auto& container : pod.containers) {
    if (!container.id.empty()) by_container_.emplace(container.id, place);
  }
  if (pod.host_network || pod.finished) return;
  for (const auto& ip : pod.ips) claims_.emplace(ip, place);
  find_holders(pod);
}

void PodIndex::unlink(Place place) {
  const auto& pod = *place->pod;
  by_uid_.erase(pod.endpoint.uid);
  if (!pod.static_uid.empty()) erase_from(by_static_uid_, pod.static_uid, place);
  for (const auto& container : pod.containers) {
    if (!container.id.empty()) erase_from(by_container_, container.id, place);
  }
  if (pod.host_network || pod.finished) return;
  for (const auto& ip : pod.ips) erase_from(claims_, ip, place);
  find_holders(pod);
}

// Of the addresses that this pod has, or had until now.
void PodIndex::find_holders(const KnownPod& pod) {
  for (const auto& ip : pod.ips) {
    const auto* holder = best(claims_, ip);
    holders_.set(ip, holder == nullptr ? nullptr : *holder);
  }
}

void PodIndex::mark_gone(Place place, std::int64_t now_ns) {
  place->gone_ns = now_ns;
  move(place, kGone);
}

void PodIndex::make_room() {
  while (by_uid_.size() > std::max<std::size_t>(options_.max_pods, 1)) {
    const auto line = std::ranges::find_if(lines_, [](const auto& l) { return !l.empty(); });
    const auto rank = line->front().rank;
    if (rank == kElsewhere || rank == kHere) ++evicted_;
    drop(line->begin());
  }
}

PodIndex::Rank PodIndex::rank_of(const KnownPod& pod) const {
  if (pod.finished) return kFinished;
  return !options_.node.empty() && pod.endpoint.node == options_.node ? kHere : kElsewhere;
}

// Whether `a` has what both claim.
bool PodIndex::before(const Slot& a, const Slot& b) {
  const auto order = [](const Slot& slot) {
    return std::tuple(slot.rank != kGone, slot.pod->start_ns,
                      std::string_view(slot.pod->endpoint.uid));
  };
  return order(a) > order(b);
}

const KnownPodRef* PodIndex::by_ip(const Addr& addr) const {
  return holders_.find(addr);
}

const KnownPodRef* PodIndex::by_container(std::string_view id) const {
  return best(by_container_, id);
}

const KnownPodRef* PodIndex::by_uid(std::string_view uid) const {
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? nullptr : &found->second->pod;
}

const KnownPodRef* PodIndex::by_cgroup_uid(std::string_view uid) const {
  const auto* pod = by_uid(uid);
  return pod != nullptr ? pod : best(by_static_uid_, uid);
}

std::vector<KnownPodRef> PodIndex::pods() const {
  std::vector<KnownPodRef> all;
  all.reserve(size());
  for (const auto& line : lines_) {
    for (const auto& slot : line) {
      if (slot.rank != kGone) all.push_back(slot.pod);
    }
  }
  return all;
}

std::size_t PodIndex::size() const noexcept {
  return by_uid_.size() - lines_[kGone].size();
}

}  // namespace orb8
