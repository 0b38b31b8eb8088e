// SPDX-License-Identifier: Apache-2.0
#include "core/identity/service_index.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/identity/newest.h"

namespace orb8 {
namespace {

std::string qualified(const std::string& name_space, const std::string& name) {
  return name_space + "/" + name;
}

EndpointRef endpoint(const std::string& name_space, const std::string& name, const std::string& uid,
                     const std::string& port) {
  return std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kService,
                                                   .name_space = name_space,
                                                   .name = name,
                                                   .uid = uid,
                                                   .port = port});
}

template <class Map>
std::vector<std::string> missing_from(const std::unordered_set<std::string>& uids,
                                      const Map& known) {
  std::vector<std::string> missing;
  for (const auto& [uid, object] : known) {
    if (!uids.contains(uid)) missing.push_back(uid);
  }
  return missing;
}

}  // namespace

std::size_t ServiceIndex::KeyHash::operator()(const Key& key) const noexcept {
  const std::size_t port = std::size_t{key.port} << 8U | key.protocol;
  return AddrHash{}(key.addr) ^ port * 0x9e3779b97f4a7c15;
}

ServiceIndex::Match ServiceIndex::find(const Addr& addr, std::uint16_t port, std::uint8_t protocol,
                                       bool node) const {
  const bool is_address = addresses_.find(addr) != nullptr;
  if (is_address) {
    const auto* entry = newest(by_address_, Key{addr, port, protocol});
    if (entry != nullptr) return {entry->service, true};
  }
  if (node) {
    const auto* entry = newest(by_node_port_, Key{{}, port, protocol});
    if (entry != nullptr) return {entry->service, false};
  }
  if (!by_endpoint_.empty()) {
    const auto* entry = newest(by_endpoint_, Key{addr, port, protocol});
    if (entry != nullptr) return {.service = entry->service, .endpoint = true};
  }
  if (is_address) {
    const auto* entry = newest(by_address_, Key{addr, 0, 0});
    if (entry != nullptr) return {entry->service, true};
  }
  return {};
}

std::string_view ServiceIndex::pod_at(const Endpoint& service, const Addr& addr, std::uint16_t port,
                                      std::uint8_t protocol) const {
  const auto has_port = [&](const k8s::SlicePort& p) {
    return p.port == port && p.protocol == protocol;
  };
  const KnownSlice* last = nullptr;
  std::string_view uid;
  const auto name = qualified(service.name_space, service.name);
  for (auto [at, end] = slices_of_.equal_range(name); at != end; ++at) {
    const auto& known = *at->second;
    const auto target = std::ranges::find(known.slice.targets, addr, &k8s::SliceTarget::ip);
    if (target == known.slice.targets.end()) continue;
    if (std::ranges::none_of(known.slice.ports, has_port)) continue;
    if (last != nullptr && last->order > known.order) continue;
    last = &known;
    uid = target->pod_uid;
  }
  return uid;
}

std::vector<Addr> ServiceIndex::endpoints_of(const k8s::Service& service) const {
  std::vector<Addr> addrs;
  const auto name = qualified(service.name_space, service.name);
  for (auto [at, end] = slices_of_.equal_range(name); at != end; ++at) {
    const auto& ips = at->second->slice.ips;
    addrs.insert(addrs.end(), ips.begin(), ips.end());
  }
  return addrs;
}

void ServiceIndex::count_addresses(const k8s::Service& service, int by) {
  for (const auto* ips : {&service.cluster_ips, &service.external_ips}) {
    for (const auto& ip : *ips) {
      const auto* before = addresses_.find(ip);
      addresses_.set(ip, (before == nullptr ? 0 : *before) + by);
    }
  }
}

bool ServiceIndex::set(k8s::Service service) {
  const auto [at, fresh] = services_.try_emplace(service.uid);
  auto& known = at->second;
  if (!fresh) {
    if (known.service == service) return false;
    unlink(known);
  }
  known.service = std::move(service);
  link(known);
  return true;
}

bool ServiceIndex::set(k8s::EndpointSlice slice) {
  const auto [at, fresh] = slices_.try_emplace(slice.uid);
  auto& known = at->second;
  if (!fresh) {
    if (known.slice == slice) return false;
    unlink(known);
    erase_one(slices_of_, qualified(known.slice.name_space, known.slice.service), &known);
  }
  known.slice = std::move(slice);
  known.order = ++order_;
  const auto name = qualified(known.slice.name_space, known.slice.service);
  slices_of_.emplace(name, &known);
  if (is_headless(name)) link(known);
  return true;
}

bool ServiceIndex::gone_service(std::string_view uid) {
  const auto found = services_.find(std::string(uid));
  if (found == services_.end()) return false;
  unlink(found->second);
  services_.erase(found);
  return true;
}

bool ServiceIndex::gone_slice(std::string_view uid) {
  const auto found = slices_.find(std::string(uid));
  if (found == slices_.end()) return false;
  auto& known = found->second;
  unlink(known);
  erase_one(slices_of_, qualified(known.slice.name_space, known.slice.service), &known);
  slices_.erase(found);
  return true;
}

bool ServiceIndex::keep_services(const std::unordered_set<std::string>& uids) {
  const auto missing = missing_from(uids, services_);
  for (const auto& uid : missing) gone_service(uid);
  return !missing.empty();
}

bool ServiceIndex::keep_slices(const std::unordered_set<std::string>& uids) {
  const auto missing = missing_from(uids, slices_);
  for (const auto& uid : missing) gone_slice(uid);
  return !missing.empty();
}

void ServiceIndex::link(KnownService& known) {
  const auto& service = known.service;
  count_addresses(service, 1);
  const auto order = ++order_;
  known.entries.clear();
  for (const auto& port : service.ports) {
    known.entries.push_back(
        {endpoint(service.name_space, service.name, service.uid, port.name), order});
  }
  known.entries.push_back({endpoint(service.name_space, service.name, service.uid, ""), order});
  for (std::size_t i = 0; i < service.ports.size(); ++i) {
    const auto& port = service.ports[i];
    for (const auto* ips : {&service.cluster_ips, &service.external_ips}) {
      for (const auto& ip : *ips) {
        by_address_.emplace(Key{ip, port.port, port.protocol}, &known.entries[i]);
      }
    }
    if (port.node_port == 0) continue;
    by_node_port_.emplace(Key{{}, port.node_port, port.protocol}, &known.entries[i]);
  }
  for (const auto& ip : service.cluster_ips) {
    by_address_.emplace(Key{ip, 0, 0}, &known.entries.back());
  }
  const auto name = qualified(service.name_space, service.name);
  by_name_.emplace(name, &known);
  relink_slices(name);
}

void ServiceIndex::unlink(KnownService& known) {
  const auto& service = known.service;
  count_addresses(service, -1);
  for (std::size_t i = 0; i < service.ports.size(); ++i) {
    const auto& port = service.ports[i];
    for (const auto* ips : {&service.cluster_ips, &service.external_ips}) {
      for (const auto& ip : *ips) {
        erase_one(by_address_, Key{ip, port.port, port.protocol}, &known.entries[i]);
      }
    }
    if (port.node_port == 0) continue;
    erase_one(by_node_port_, Key{{}, port.node_port, port.protocol}, &known.entries[i]);
  }
  for (const auto& ip : service.cluster_ips) {
    erase_one(by_address_, Key{ip, 0, 0}, &known.entries.back());
  }
  const auto name = qualified(service.name_space, service.name);
  erase_one(by_name_, name, &known);
  relink_slices(name);
}

void ServiceIndex::link(KnownSlice& known) {
  const auto& slice = known.slice;
  for (const auto& port : slice.ports) {
    known.entries.push_back(
        {endpoint(slice.name_space, slice.service, "", port.name), known.order});
  }
  for (std::size_t i = 0; i < slice.ports.size(); ++i) {
    const auto& port = slice.ports[i];
    if (port.port == 0) continue;  // "all of them" tells nobody apart
    for (const auto& ip : slice.ips) {
      by_endpoint_.emplace(Key{ip, port.port, port.protocol}, &known.entries[i]);
    }
  }
}

void ServiceIndex::unlink(KnownSlice& known) {
  if (known.entries.empty()) return;
  const auto& slice = known.slice;
  for (std::size_t i = 0; i < slice.ports.size(); ++i) {
    const auto& port = slice.ports[i];
    if (port.port == 0) continue;
    for (const auto& ip : slice.ips) {
      erase_one(by_endpoint_, Key{ip, port.port, port.protocol}, &known.entries[i]);
    }
  }
  known.entries.clear();
}

// Where there are two of a name for a moment, the old one is about to go.
bool ServiceIndex::is_headless(const std::string& qualified_name) const {
  const KnownService* last = nullptr;
  for (auto [at, end] = by_name_.equal_range(qualified_name); at != end; ++at) {
    const auto* known = at->second;
    if (!last || known->entries.back().order > last->entries.back().order) last = known;
  }
  return last != nullptr && last->service.cluster_ips.empty();
}

void ServiceIndex::relink_slices(const std::string& qualified_name) {
  const bool headless = is_headless(qualified_name);
  for (auto [at, end] = slices_of_.equal_range(qualified_name); at != end; ++at) {
    auto& known = *at->second;
    if (headless == !known.entries.empty()) continue;
    unlink(known);
    if (headless) link(known);
  }
}

}  // namespace orb8
