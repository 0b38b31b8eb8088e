// Machines and wires of the test's own: network namespaces, veth pairs, bridges.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/unique_fd.h"
#include "core/model/addr.h"
#include "tests/netns/totals.h"

namespace orb8::netns {

// Setting up is not what is tested. A step that fails throws std::runtime_error, which GoogleTest
// reports; what was made so far goes with its owners.

// A network namespace without a name: it goes with the process, however that ends. Loopback is up,
// and nothing speaks unasked but MLD, which no setting silences.
class NetNs {
 public:
  NetNs();
  // The one that the calling thread is in, with all that is in it already.
  static NetNs here();

  // The calling thread is in the namespace as long as this lives, and so are the threads and
  // processes that it starts meanwhile.
  class Visit {
   public:
    explicit Visit(int ns_fd);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    UniqueFd home_;
  };
  [[nodiscard]] Visit enter() const { return Visit(fd_.get()); }

  // Runs a shell script here; throws what it printed when it fails. Returns its output.
  std::string sh(const std::string& script) const;

  // A path by which ip(8) and other processes find this namespace.
  std::string path() const;

 private:
  explicit NetNs(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// What the interface counted since it was made (rtnetlink's IFLA_STATS64).
struct InterfaceCounters {
  Totals rx;
  Totals tx;
  std::uint64_t dropped = 0;

  Totals all() const { return rx + tx; }
};
InterfaceCounters counters_of(const NetNs& ns, const std::string& interface);
std::uint32_t ifindex_of(const NetNs& ns, const std::string& interface);

// A number below 200 makes a host's addresses.
struct Host {
  explicit Host(std::uint8_t host_number) : number(host_number) {}

  static constexpr auto kNic = "eth0";
  std::uint8_t number;
  NetNs ns;

  Addr v4() const { return Addr::v4(10, 88, 0, number); }
  Addr v6() const;
  Addr addr(int family) const;
  std::string mac() const;
  InterfaceCounters counters() const { return counters_of(ns, kNic); }

  // `offloads`: what the stack leaves to the device, or does late on its behalf; off, each skb is a
  // wire packet once it reaches the interface's counters.
  void start(bool offloads, const std::string& interface = kNic) const;
  // Waits until the other end is up as well.
  void give_addresses(const std::string& interface = kNic) const;
  // Writes the neighbour down, so that nobody has to ask.
  void knows(const Host& peer, const std::string& interface = kNic) const;
};

// Two hosts on a wire. It is down, so that a watcher can be there before the first packet.
class TwoHosts {
 public:
  TwoHosts();
  void up(bool offloads = false) const;

  Host a{1};
  Host b{2};
};

// Three hosts on a bridge, whose machine is a fourth. Down as well; the interfaces of the machine
// are port1, port2, port3 and br0.
class BridgedHosts {
 public:
  BridgedHosts();
  void up(bool offloads = false) const;

  Host hosts[3]{Host(1), Host(2), Host(3)};
  Host bridge{9};
};

}  // namespace orb8::netns
