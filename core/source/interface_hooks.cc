// SPDX-License-Identifier: Apache-2.0
#include "core/source/interface_hooks.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace orb8 {
namespace {

constexpr auto kHooks = {Direction::kIngress, Direction::kEgress};

LinkLayer layer_of(const Interface& interface) {
  return interface.ethernet ? LinkLayer::kEthernet : LinkLayer::kNone;
}

// Directions are as the pod sees them: at the host's end of its veth what comes in was sent.
Direction probe_at(const Interface& interface, Direction hook) {
  if (!interface.pod_end) return hook;
  return hook == Direction::kIngress ? Direction::kEgress : Direction::kIngress;
}

bool takes_other_probes(const Interface& a, const Interface& b) {
  return a.ethernet != b.ethernet || a.pod_end != b.pod_end;
}

}  // namespace

bool InterfaceHooks::follow(const std::vector<Interface>& wanted, std::size_t most) {
  let_go_of_all_but(wanted);
  for (const auto& interface : wanted) {
    if (hooks_.contains(interface.ifindex)) continue;
    const auto refusal = refusals_.find(interface.ifindex);
    if (refusal != refusals_.end() && !refusal->second.retry) continue;
    if (most-- == 0) return false;
    add(interface);
  }
  return true;
}

bool InterfaceHooks::let_go(std::size_t most) {
  while (!hooks_.empty() && most-- != 0) detach(hooks_.begin()->first);
  return hooks_.empty();
}

void InterfaceHooks::retry() {
  for (auto& [ifindex, refusal] : refusals_) refusal.retry = true;
}

std::string InterfaceHooks::refusal_text() const {
  std::string text;
  for (const auto& [ifindex, refusal] : refusals_) {
    text += (text.empty() ? "" : "; ") + refusal.why;
  }
  return text;
}

std::vector<AttachedProgram> InterfaceHooks::programs() const {
  std::vector<AttachedProgram> programs;
  for (const auto& [ifindex, hooks] : hooks_) {
    for (const auto hook : kHooks) {
      const auto& attachment = hook == Direction::kIngress ? hooks.ingress : hooks.egress;
      const auto name =
          NetworkProbes::program_name(probe_at(hooks.interface, hook), layer_of(hooks.interface));
      programs.push_back({.program = std::string(name),
                          .interface = hooks.interface.name,
                          .ifindex = ifindex,
                          .direction = std::string(to_string(hook)),
                          .mechanism = std::string(attachment.mechanism())});
    }
  }
  return programs;
}

void InterfaceHooks::let_go_of_all_but(const std::vector<Interface>& wanted) {
  std::map<std::uint32_t, const Interface*> by_ifindex;
  for (const auto& interface : wanted) by_ifindex.emplace(interface.ifindex, &interface);
  std::vector<std::uint32_t> unwanted;
  for (auto& [ifindex, hooks] : hooks_) {
    const auto found = by_ifindex.find(ifindex);
    if (found == by_ifindex.end() || takes_other_probes(*found->second, hooks.interface)) {
      unwanted.push_back(ifindex);
    } else {
      hooks.interface.name = found->second->name;
    }
  }
  for (const auto ifindex : unwanted) detach(ifindex);
  std::erase_if(refusals_, [&](const auto& one) { return !by_ifindex.contains(one.first); });
}

void InterfaceHooks::add(const Interface& interface) {
  auto hooks = attach(interface);
  if (hooks) {
    refusals_.erase(interface.ifindex);
    hooks_.emplace(interface.ifindex, std::move(*hooks));
    spdlog::info("Attached ingress probe to {}", interface.name);
    spdlog::info("Attached egress probe to {}", interface.name);
    return;
  }
  detach(interface.ifindex);
  if (hooks.error().code == Errc::kNotFound) {  // gone while we looked
    refusals_.erase(interface.ifindex);
    return;
  }
  auto& refusal = refusals_[interface.ifindex];
  if (refusal.why != hooks.error().what) spdlog::warn("{}", hooks.error().what);
  refusal = {.why = hooks.error().what};
}

Result<InterfaceHooks::Hooks> InterfaceHooks::attach(const Interface& interface) {
  const auto attach_one = [&](Direction hook) -> Result<TcAttachment> {
    const auto probe = probe_at(interface, hook);
    // Live before it counts: otherwise other hooks would take its flows over.
    if (auto ok = probes_.set_live(interface.ifindex, probe, true); !ok) {
      return std::unexpected(ok.error());
    }
    return TcAttachment::attach(probes_.program_fd(probe, layer_of(interface)),
                                {interface.ifindex, interface.name, hook}, mechanism_, place_);
  };
  auto ingress = attach_one(Direction::kIngress);
  if (!ingress) return std::unexpected(ingress.error());
  auto egress = attach_one(Direction::kEgress);
  if (!egress) return std::unexpected(egress.error());
  return Hooks{interface, std::move(*ingress), std::move(*egress)};
}

void InterfaceHooks::detach(std::uint32_t ifindex) {
  const auto found = hooks_.find(ifindex);
  if (found != hooks_.end()) {
    spdlog::info("Detached from {}", found->second.interface.name);
    hooks_.erase(found);
  }
  for (const auto probe : kHooks) {
    if (auto ok = probes_.set_live(ifindex, probe, false); !ok) {
      spdlog::warn("{}", ok.error().what);
    }
  }
}

}  // namespace orb8
