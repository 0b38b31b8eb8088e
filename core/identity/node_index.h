// The nodes of the cluster by name and by all their addresses, and where their pods' are from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/k8s/objects.h"
#include "core/model/endpoint.h"

namespace orb8 {

// For one thread at a time. Where two nodes have a name or an address, it is the one's that was
// heard of last.
class NodeIndex {
 public:
  // Whether a name or a zone changed; `changed`: whether anything did.
  struct Change {
    bool changed = false;
    bool zones = false;
  };
  Change set(k8s::Node node);
  Change gone(std::string_view uid);
  Change keep(const std::unordered_set<std::string>& uids);

  EndpointRef by_ip(const Addr& addr) const;
  // The first two addresses of a range for pods are its node's: flannel's tunnel has the one, and
  // the bridge of its plugin the other (https://www.cni.dev/plugins/current/ipam/host-local/).
  EndpointRef by_gateway(const Addr& addr) const;
  // Whether some node's pods get their addresses from there.
  bool has_for_pods(const Addr& addr) const;
  EndpointRef by_name(const std::string& name) const;
  const std::string& zone_of(const std::string& name) const;

  std::size_t size() const noexcept { return nodes_.size(); }

 private:
  struct Known {
    k8s::Node node;
    EndpointRef endpoint;
    std::uint64_t order = 0;
  };
  void link(const Known& known);
  void unlink(const Known& known);

  std::unordered_map<std::string, Known> nodes_;  // by UID; what it holds stays where it is
  std::unordered_multimap<Addr, const Known*, AddrHash> by_ip_;
  std::unordered_multimap<Addr, const Known*, AddrHash> by_gateway_;
  std::unordered_multimap<std::string_view, const Known*> by_name_;
  // By where they begin; of those of one length none is in another. Few lengths are in use.
  std::map<std::uint8_t, std::unordered_multiset<Addr, AddrHash>> ranges_;
  std::uint64_t order_ = 0;
};

}  // namespace orb8
