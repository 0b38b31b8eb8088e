// SPDX-License-Identifier: Apache-2.0
#include "core/identity/identity.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "core/identity/container_id.h"
#include "core/identity/process_names.h"

namespace orb8 {
namespace {

// Whether there may be more to know about it. The name of a process is not asked for twice.
bool incomplete(const Owner& owner) {
  if (owner.cgroup_path.empty()) return owner.cgroup_id != 0;
  return !owner.container_id.empty() && owner.container_name.empty();
}

const std::string* container_name_in(const KnownPod& pod, const std::string& id) {
  const auto found = std::ranges::find(pod.containers, id, &k8s::Container::id);
  return found == pod.containers.end() ? nullptr : &found->name;
}

}  // namespace

EndpointRef Identity::endpoint_of(const Owner& owner) const {
  Endpoint endpoint;
  endpoint.node = options_.node;
  if (!owner.container_id.empty()) {
    endpoint.kind = EndpointKind::kContainer;
    endpoint.name =
        owner.container_name.empty() ? short_id(owner.container_id) : owner.container_name;
  } else if (owner.pid != 0 || !owner.comm.empty()) {
    endpoint.kind = EndpointKind::kProcess;
    endpoint.name = owner.comm.empty() ? "pid " + std::to_string(owner.pid) : owner.comm;
  } else {
    return nullptr;
  }
  return std::make_shared<const Endpoint>(std::move(endpoint));
}

std::size_t Identity::KeyHash::operator()(const Key& key) const noexcept {
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15;  // spreads small numbers over all bits
  return (key.cgroup_id * kOdd + key.pid) * kOdd + std::hash<std::string>()(key.comm);
}

std::unique_ptr<Identity> Identity::open(IdentityOptions options, std::int64_t now_ns) {
  auto identity = std::unique_ptr<Identity>(new Identity(std::move(options), now_ns));
  identity->open_cgroups();
  return identity;
}

Identity::Identity(IdentityOptions options, std::int64_t now_ns)
    : options_(std::move(options)),
      now_ns_(now_ns),
      next_expiry_ns_(now_ns),
      names_(options_.names) {}

void Identity::open_cgroups() {
  auto options = options_.cgroups;
  options.appeared = [this](std::uint64_t, const std::string& path) { cgroup_appeared(path); };
  options.dropped = [this](std::uint64_t, const std::string& path) { cgroup_dropped(path); };
  auto cgroups = CgroupTree::open(std::move(options), now_ns_);
  if (cgroups) {
    cgroups_ = std::move(*cgroups);
  } else {
    no_cgroups_ = cgroups.error().what + ": sockets are not told apart by container";
    spdlog::warn("{}", no_cgroups_);
  }
}

std::uint64_t Identity::kube_version() const {
  return options_.kube == nullptr ? 0 : options_.kube->version();
}

// Asked for before its first flow, the name is mostly there when that comes.
void Identity::cgroup_appeared(const std::string& cgroup_path) {
  if (options_.kube != nullptr) options_.kube->cgroup_appeared(pod_uid_of(cgroup_path));
  if (const auto container = container_of(cgroup_path)) (void)names_.name_of(*container, now_ns_);
}

void Identity::cgroup_dropped(const std::string& cgroup_path) {
  if (options_.kube != nullptr) options_.kube->cgroup_gone(pod_uid_of(cgroup_path));
  const auto container = container_of(cgroup_path);
  if (!container) return;
  // A cgroup that the container made below its own may end before the container does.
  const auto around = container_of(std::string_view(cgroup_path).substr(0, cgroup_path.rfind('/')));
  if (!around || around->id != container->id) names_.forget(container->id);
}

OwnerRef Identity::owner_of(std::uint64_t cgroup_id, std::uint32_t pid, std::string_view comm) {
  if (cgroup_id == 0 && pid == 0 && comm.empty()) return nullptr;
  Key key{.cgroup_id = cgroup_id, .pid = pid, .comm = std::string(comm)};
  auto found = owners_.find(key);
  if (found == owners_.end()) {
    make_room();
    const auto version = kube_version();  // before what is looked up
    slots_.push_front({.key = key,
                       .owner = make(key, nullptr),
                       .used_ns = now_ns_,
                       .tried_ns = now_ns_,
                       .kube_version = version});
    found = owners_.emplace(std::move(key), slots_.begin()).first;
  }
  auto& slot = *found->second;
  refresh(slot);
  slot.used_ns = now_ns_;
  slots_.splice(slots_.begin(), slots_, found->second);
  return slot.owner;
}

void Identity::refresh(Slot& slot) {
  const auto version = kube_version();
  const bool news = version != slot.kube_version && !slot.owner->pod_uid.empty();
  const bool retry = slot.tried_ns != now_ns_ && incomplete(*slot.owner);
  if (!news && !retry) return;
  slot.tried_ns = now_ns_;
  slot.kube_version = version;
  auto now = make(slot.key, slot.owner.get());
  // The pod is the same object as long as nothing changed about it.
  const bool same_pod = now->endpoint == slot.owner->endpoint || !now->endpoint ||
                        now->endpoint->kind != EndpointKind::kPod;
  if (same_pod && now->cgroup_path == slot.owner->cgroup_path &&
      now->container_name == slot.owner->container_name) {
    return;
  }
  slot.owner = std::move(now);
}

// `before` is what was known: a cgroup that is long gone has no path to be found any more.
OwnerRef Identity::make(const Key& key, const Owner* before) {
  Owner owner;
  if (before != nullptr) {
    owner = *before;
  } else {
    owner = {.cgroup_id = key.cgroup_id, .pid = key.pid, .comm = key.comm};
    if (owner.comm.empty()) owner.comm = comm_of(key.pid, options_.root).value_or("");
  }
  if (owner.cgroup_path.empty() && cgroups_) {
    owner.cgroup_path = cgroups_->path_of(key.cgroup_id, now_ns_).value_or("");
  }
  if (const auto container = container_of(owner.cgroup_path)) {
    owner.container_id = container->id;
    owner.container_name = names_.name_of(*container, now_ns_).value_or("");
  }
  owner.endpoint = name_pod(owner, before);
  if (!owner.endpoint) owner.endpoint = endpoint_of(owner);
  return std::make_shared<const Owner>(std::move(owner));
}

// Null: in no pod, or in one that Kubernetes has not told of. A pod that was found once is not
// lost.
EndpointRef Identity::name_pod(Owner& owner, const Owner* before) const {
  if (options_.kube == nullptr) return nullptr;
  owner.pod_uid = pod_uid_of(owner.cgroup_path);
  if (owner.pod_uid.empty() && owner.container_id.empty()) return nullptr;
  const auto pod = options_.kube->pod_of({.id = owner.container_id, .pod_uid = owner.pod_uid});
  if (!pod) {
    const bool known =
        before != nullptr && before->endpoint && before->endpoint->kind == EndpointKind::kPod;
    if (!known) return nullptr;
    owner.container_name = before->container_name;
    return before->endpoint;
  }
  // As the manifest has it, where a runtime may have a name of its own: k8s_nginx_web-0_default_...
  if (const auto* name = container_name_in(*pod, owner.container_id)) owner.container_name = *name;
  return orb8::endpoint_of(pod);
}

// The one that was used longest ago among those that nobody holds; should the oldest few all be
// held, the oldest: who holds it keeps it.
void Identity::make_room() {
  if (owners_.size() < std::max<std::size_t>(options_.max_owners, 1)) return;
  constexpr int kLookedAt = 64;
  auto victim = std::prev(slots_.end());
  auto candidate = victim;
  for (int i = 0; i < kLookedAt; ++i) {
    if (candidate->owner.use_count() == 1) {
      victim = candidate;
      break;
    }
    if (candidate == slots_.begin()) break;
    --candidate;
  }
  owners_.erase(victim->key);
  slots_.erase(victim);
}

void Identity::expire() {
  if (now_ns_ < next_expiry_ns_) return;
  next_expiry_ns_ = now_ns_ + options_.grace_ns / 4;
  for (auto slot = slots_.begin(); slot != slots_.end();) {
    // Copies are made of copies: with none left but ours, no thread can come by one but through us.
    if (slot->owner.use_count() > 1) slot->used_ns = now_ns_;
    if (now_ns_ - slot->used_ns < options_.grace_ns) {
      ++slot;
      continue;
    }
    owners_.erase(slot->key);
    slot = slots_.erase(slot);
  }
}

std::array<int, 2> Identity::fds() const {
  return {cgroups_ ? cgroups_->fd() : -1, names_.fd()};
}

void Identity::handle_ready(std::int64_t now_ns) {
  now_ns_ = now_ns;
  names_.handle_ready();
  if (cgroups_) cgroups_->handle_ready(now_ns);
  expire();
}

std::vector<Component> Identity::components() const {
  const Component none{.name = "cgroups", .healthy = false, .reason = no_cgroups_};
  return {cgroups_ ? cgroups_->component() : none, names_.component()};
}

}  // namespace orb8
