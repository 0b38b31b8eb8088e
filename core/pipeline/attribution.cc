// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/attribution.h"

#include <cstring>
#include <string_view>
#include <utility>

namespace orb8 {
namespace {

constexpr std::int64_t kBetweenLooksNs = 1'000'000'000;

bool is_sent(const FlowKey& key) {
  return key.direction == Direction::kEgress;
}

FlowKey turned(FlowKey key) {
  std::swap(key.src, key.dst);
  std::swap(key.src_port, key.dst_port);
  key.direction = is_sent(key) ? Direction::kIngress : Direction::kEgress;
  return key;
}

const EndpointRef& own_side(const FlowKey& key, const FlowOwners& owners) {
  return is_sent(key) ? owners.src : owners.dst;
}

bool is_pod(const EndpointRef& endpoint) {
  return endpoint && endpoint->kind == EndpointKind::kPod;
}

bool is_another(const EndpointRef& before, const EndpointRef& now) {
  return !now || (!before->uid.empty() && now->uid != before->uid);
}

}  // namespace

FlowOwnersRef Attribution::owners_of(const FlowRecord& record) {
  const std::string_view comm(record.comm.data(),
                              ::strnlen(record.comm.data(), record.comm.size()));
  awaits_other_end_ = false;
  auto owners =
      owners_of(record.key, {.netns = record.socket.netns,
                             .began_ns = record.first_seen_ns,
                             .local = identity_.owner_of(record.cgroup_id, record.pid, comm)});
  if (namer_.may_be_named_later(owners)) late_.add(record.key, now_ns_);
  return pool_.share(std::move(owners));
}

FlowOwnersRef Attribution::owners_of(const Event& packet) {
  return pool_.share(namer_.owners_of(packet.flow.key, 0,
                                      identity_.owner_of(packet.cgroup_id, 0, std::string_view())));
}

FlowOwners Attribution::owners_of(const FlowKey& key, const End& end) {
  auto owners = namer_.owners_of(key, end.netns, end.local);
  if (key.socket != 0 && owners.local && owners.local->endpoint) pair_up(key, end, owners);
  return owners;
}

// Only where addresses do not tell: those of two pods do.
void Attribution::pair_up(const FlowKey& key, const End& end, FlowOwners& owners) {
  const bool sent = is_sent(key);
  auto& peer = sent ? owners.dst : owners.src;
  const auto& remote = sent ? key.dst : key.src;
  if (!namer_.is_own(key.src) && !namer_.is_own(key.dst)) return;
  if (!namer_.is_here(remote, peer)) return;
  const auto* other = table_.other_end(key, end.netns, end.began_ns);
  awaits_other_end_ = other == nullptr;
  if (other == nullptr || !other->owners->local || !other->owners->local->endpoint) return;
  peer = own_side(other->key, *other->owners);
  meetings_.push_back({.key = other->key, .peer = own_side(key, owners)});
}

void Attribution::settle() {
  for (const auto& meeting : meetings_) {
    tell_peer(meeting.key, meeting.peer);
    tell_peer(turned(meeting.key), meeting.peer);
  }
  meetings_.clear();
}

void Attribution::tell_peer(FlowKey key, const EndpointRef& peer) {
  const auto* flow = table_.find(key);
  if (flow == nullptr) return;
  auto owners = *flow->owners;
  auto& side = is_sent(key) ? owners.dst : owners.src;
  if (side == peer) return;
  side = peer;
  table_.set_owners(key, pool_.share(std::move(owners)));
}

bool Attribution::name_late(std::int64_t now_ns) {
  if (kube_ == nullptr) return false;
  late_.expire(now_ns);
  bool any = false;
  const auto version = namer_.version();
  if (std::exchange(version_, version) != version) {
    const auto lists = kube_->lists();
    const auto connections = namer_.connections();
    auto news = kube_->take_news();
    const bool connected = std::exchange(connections_, connections) != connections;
    if (std::exchange(lists_, lists) != lists) {
      for_older_ = {};
      any = name_all_again();
    }
    any |= name_recent(news, connected, now_ns);
    for_older_.merge(std::move(news));
  }
  any |= name_older(now_ns);
  settle();
  return any;
}

bool Attribution::name_recent(const KubeNews& news, bool connections, std::int64_t now_ns) {
  bool any = false;
  late_.retry(now_ns, [&](const FlowKey& key) {
    const auto* flow = table_.find(key);
    if (flow == nullptr) return false;
    if (namer_.is_news_for(key, *flow->owners, news, connections)) {
      any |= name_again(key);
      flow = table_.find(key);
    }
    return namer_.may_be_named_later(*flow->owners);
  });
  return any;
}

// A pod may show up long after a flow with it: the API server was away, or the kubelet late.
bool Attribution::name_older(std::int64_t now_ns) {
  if (for_older_.empty() || now_ns - looked_through_ns_ < kBetweenLooksNs) return false;
  looked_through_ns_ = now_ns;
  const auto news = std::exchange(for_older_, {});
  std::vector<FlowKey> keys;
  table_.share()->for_each([&](const Flow& flow) {
    if (namer_.is_news_for(flow.key, *flow.owners, news, false)) keys.push_back(flow.key);
  });
  bool any = false;
  for (const auto& key : keys) any |= name_again(key);
  return any;
}

// Whom a flow was found to be with may have given the address away since: it was with them all the
// same.
EndpointRef Attribution::kept(const EndpointRef& before, EndpointRef now) const {
  if (is_pod(before)) {
    const auto known = kube_->pod_with_uid(before->uid);
    return known ? endpoint_of(known) : before;
  }
  if (!before || (before->kind != EndpointKind::kService && before->kind != EndpointKind::kNode)) {
    return now;
  }
  if (!now || now->kind == EndpointKind::kExternal) return before;
  return now->kind == before->kind && is_another(before, now) ? before : now;
}

// Whether any of its names changed.
bool Attribution::name_again(const FlowKey& key) {
  const auto* flow = table_.find(key);
  if (flow == nullptr) return false;
  auto local = flow->owners->local;
  if (local) local = identity_.owner_of(local->cgroup_id, local->pid, local->comm);
  auto owners = owners_of(
      key,
      {.netns = flow->socket.netns, .began_ns = flow->first_seen_ns, .local = std::move(local)});
  for (auto side : {&FlowOwners::src, &FlowOwners::dst}) {
    owners.*side = kept((*flow->owners).*side, std::move(owners.*side));
  }
  for (auto service : {&FlowOwners::src_service, &FlowOwners::dst_service}) {
    const auto& before = (*flow->owners).*service;
    if (before && is_another(before, owners.*service)) owners.*service = before;
  }
  if (owners == *flow->owners) return false;
  table_.set_owners(key, pool_.share(std::move(owners)));
  return true;
}

bool Attribution::name_all_again() {
  std::vector<FlowKey> keys;
  table_.share()->for_each([&](const Flow& flow) { keys.push_back(flow.key); });
  bool any = false;
  for (const auto& key : keys) any |= name_again(key);
  return any;
}

}  // namespace orb8
