// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/flow_namer.h"

#include <memory>
#include <utility>

namespace orb8 {
namespace {

bool is_kind(const EndpointRef& endpoint, EndpointKind kind) {
  return endpoint && endpoint->kind == kind;
}

FlowKey turned(FlowKey key) {
  std::swap(key.src, key.dst);
  std::swap(key.src_port, key.dst_port);
  return key;
}

bool is_nameless(const EndpointRef& side) {
  return !side || side->kind == EndpointKind::kExternal;
}

// Its cgroup tells which pod's it is, and Kubernetes has not told of that pod.
bool waits_for_its_pod(const FlowOwners& owners) {
  return owners.local && !owners.local->pod_uid.empty() &&
         !is_kind(owners.local->endpoint, EndpointKind::kPod);
}

}  // namespace

FlowNamer::FlowNamer(Options options)
    : options_(std::move(options)),
      nameless_node_(std::make_shared<const Endpoint>(
          Endpoint{.kind = EndpointKind::kNode, .name = options_.node, .node = options_.node})) {}

void FlowNamer::set_own_addresses(const std::set<Addr>& addresses) {
  own_ = {addresses.begin(), addresses.end()};
}

EndpointRef FlowNamer::this_node() const {
  auto known = options_.kube == nullptr ? nullptr : options_.kube->node_named(options_.node);
  return known ? known : nameless_node_;
}

EndpointRef FlowNamer::by_address(const Addr& addr, KubeSide& side) const {
  if (side.endpoint) return std::move(side.endpoint);
  if (is_own(addr)) return this_node();
  const bool unheard_of = options_.kube != nullptr && !options_.kube->is_complete();
  return unheard_of || side.for_pods ? nullptr : external_endpoint();
}

void FlowNamer::refresh(std::int64_t now_ns) {
  if (conntrack_) conntrack_->refresh(now_ns);
}

std::uint64_t FlowNamer::version() const {
  return (options_.kube == nullptr ? 0 : options_.kube->version()) + connections();
}

// A pod that has the address itself was addressed through a headless Service: nothing is rewritten.
void FlowNamer::look_behind(const FlowKey& sent, const EndpointRef& service,
                            EndpointRef& side) const {
  if (!conntrack_ || !service || is_kind(side, EndpointKind::kPod)) return;
  const auto* backend = conntrack_->backend_of(sent);
  if (backend == nullptr) return;
  auto behind = options_.kube->behind(*service, backend->addr, backend->port, sent.protocol);
  if (behind) side = std::move(behind);
}

FlowOwners FlowNamer::owners_of(const FlowKey& key, std::uint32_t netns, OwnerRef local) const {
  KubeStore::Sides sides;
  if (options_.kube != nullptr) {
    sides = options_.kube->sides_of(key, is_own(key.src), is_own(key.dst));
  }
  FlowOwners owners;
  owners.src_service = std::move(sides.src.service);
  owners.dst_service = std::move(sides.dst.service);
  owners.src = by_address(key.src, sides.src);
  owners.dst = by_address(key.dst, sides.dst);
  look_behind(key, owners.dst_service, owners.dst);
  look_behind(turned(key), owners.src_service, owners.src);
  owners.local = std::move(local);
  if (!owners.local || !owners.local->endpoint) return owners;

  const bool sent = key.direction == Direction::kEgress;
  auto& here = sent ? owners.src : owners.dst;
  auto& peer = sent ? owners.dst : owners.src;
  const auto& exact = owners.local->endpoint;
  const bool in_that_pod =
      is_kind(here, EndpointKind::kPod) && exact->kind == EndpointKind::kProcess;
  if (!in_that_pod) here = exact;
  // Loopback of another network namespace is not this machine's: whoever is there shares it.
  const auto& peer_addr = sent ? key.dst : key.src;
  const bool shared = exact->kind == EndpointKind::kPod || exact->kind == EndpointKind::kContainer;
  if (peer_addr.is_loopback() && netns != 0 && netns != options_.netns && shared) peer = exact;
  return owners;
}

bool FlowNamer::may_be_named_later(const FlowOwners& owners) const {
  if (options_.kube == nullptr) return false;
  return waits_for_its_pod(owners) || is_nameless(owners.src) || is_nameless(owners.dst) ||
         waits_behind(owners.src_service, owners.src) ||
         waits_behind(owners.dst_service, owners.dst);
}

// The pod that answers for the Service, on the host's network too, is not known.
bool FlowNamer::waits_behind(const EndpointRef& service, const EndpointRef& side) const {
  return conntrack_ && service && !is_kind(side, EndpointKind::kPod);
}

// A node's name for an address is a guess where a pod comes to have it.
bool FlowNamer::is_news_for_side(const Addr& addr, std::uint16_t port, const EndpointRef& side,
                                 const EndpointRef& service, const KubeNews& news) const {
  const bool node = is_own(addr) || is_kind(side, EndpointKind::kNode);
  if (news.addrs.contains(addr)) return is_nameless(side) || node || !service;
  return node && !service && news.node_ports.contains(port);
}

bool FlowNamer::is_news_for(const FlowKey& key, const FlowOwners& owners, const KubeNews& news,
                            bool connections) const {
  const auto behind = [&](const FlowKey& sent) {
    const auto* backend = conntrack_->backend_of(sent);
    return backend != nullptr && (connections || news.pods || news.addrs.contains(backend->addr));
  };
  const auto ports = !is_icmp(key.protocol);
  if (is_news_for_side(key.src, ports ? key.src_port : 0, owners.src, owners.src_service, news) ||
      is_news_for_side(key.dst, ports ? key.dst_port : 0, owners.dst, owners.dst_service, news)) {
    return true;
  }
  if (news.pods && waits_for_its_pod(owners)) return true;
  if (waits_behind(owners.dst_service, owners.dst) && behind(key)) return true;
  return waits_behind(owners.src_service, owners.src) && behind(turned(key));
}

bool FlowNamer::is_here(const Addr& addr, const EndpointRef& endpoint) const {
  if (is_own(addr)) return true;
  return is_kind(endpoint, EndpointKind::kPod) && endpoint->node == options_.node;
}

}  // namespace orb8
