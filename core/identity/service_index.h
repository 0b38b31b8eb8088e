// The Services of the cluster by what they are addressed by: ClusterIPs, addresses from outside,
// node ports, and the endpoints of headless ones.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/identity/addr_table.h"
#include "core/k8s/objects.h"
#include "core/model/endpoint.h"

namespace orb8 {

// For one thread at a time. Of two Services with the same address and port it is the one that was
// heard of last. A Service keeps no name once it is gone: its address is free at once.
class ServiceIndex {
 public:
  struct Match {
    EndpointRef service;    // with the port's name; null: none
    bool address = false;   // the address is the Service's own, and not an endpoint's or a node's
    bool endpoint = false;  // it is one of its endpoints'
  };

  // `node`: the address is one of a node's, so that node ports are meant. Protocols are IPPROTO_*;
  // a ClusterIP names its Service by any port and protocol.
  Match find(const Addr& addr, std::uint16_t port, std::uint8_t protocol, bool node) const;

  // The UID of the pod that is this endpoint of the Service, as its slices say; empty: they do not.
  // Looks at all its endpoints.
  std::string_view pod_at(const Endpoint& service, const Addr& addr, std::uint16_t port,
                          std::uint8_t protocol) const;

  // The addresses behind it, as its slices have them.
  std::vector<Addr> endpoints_of(const k8s::Service& service) const;

  // All return whether anything changed.
  bool set(k8s::Service service);
  bool set(k8s::EndpointSlice slice);
  bool gone_service(std::string_view uid);
  bool gone_slice(std::string_view uid);
  bool keep_services(const std::unordered_set<std::string>& uids);
  bool keep_slices(const std::unordered_set<std::string>& uids);

  std::size_t size() const noexcept { return services_.size(); }

 private:
  struct Key {
    Addr addr;
    std::uint16_t port = 0;
    std::uint8_t protocol = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Entry {
    EndpointRef service;
    std::uint64_t order = 0;
  };
  struct KnownService {
    k8s::Service service;
    std::vector<Entry> entries;  // one a port, in their order, and one for the Service itself
  };
  struct KnownSlice {
    k8s::EndpointSlice slice;
    std::uint64_t order = 0;
    std::vector<Entry> entries;  // one a port; empty: not linked, as its Service is not headless
  };
  using Entries = std::unordered_multimap<Key, const Entry*, KeyHash>;

  void count_addresses(const k8s::Service& service, int by);
  void link(KnownService& known);
  void unlink(KnownService& known);
  void link(KnownSlice& known);
  void unlink(KnownSlice& known);
  bool is_headless(const std::string& qualified_name) const;
  void relink_slices(const std::string& qualified_name);

  // What these hold stays where it is.
  std::unordered_map<std::string, KnownService> services_;             // by UID
  std::unordered_map<std::string, KnownSlice> slices_;                 // by UID
  std::unordered_multimap<std::string, const KnownService*> by_name_;  // "namespace/name"
  std::unordered_multimap<std::string, KnownSlice*> slices_of_;        // "namespace/name"
  Entries by_address_;
  // How many Services have an address: most addresses are no Service's, and known by one look.
  AddrTable<int> addresses_;
  Entries by_node_port_;  // without an address
  Entries by_endpoint_;
  std::uint64_t order_ = 0;
};

}  // namespace orb8
