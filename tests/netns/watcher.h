// The real source at work in a namespace, and what it said so far.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/model/event.h"
#include "core/source/tc_source.h"
#include "tests/netns/ledger.h"
#include "tests/netns/topology.h"

namespace orb8::netns {

// The namespace outlives it. Throws where the source does not open.
class Watcher {
 public:
  Watcher(const NetNs& ns, TcSource::Options options);
  Watcher(const NetNs& ns, std::vector<std::string> interfaces)
      : Watcher(ns, TcSource::Options{.interfaces = std::move(interfaces), .reason = "test"}) {}
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // A snapshot, and all that is ready.
  const Ledger& read();
  std::size_t read_ready(std::size_t most = 1024);
  void forget(std::span<const FlowKey> keys);
  void want_packets(std::vector<PacketFilter> filters);

  const Ledger& ledger() const { return ledger_; }
  const std::vector<Event>& packets() const { return packets_; }
  FlowSource& source() { return *source_; }
  SourceStatus status() const { return source_->status(); }
  Accounting accounting() const { return status().accounting; }

  // The flow's totals, read anew until they are `wanted`.
  Totals flow(const FlowKey& key, const Totals& wanted);
  // All flows' totals and, of what met a probe and is in no flow, the rest: not IP, truncated,
  // unparsed, lost, the agent's own.
  Totals everything();

 private:
  const NetNs& ns_;
  std::unique_ptr<FlowSource> source_;
  Ledger ledger_;
  std::vector<Event> packets_;
};

// The interface counted nothing that is not accounted, and the reverse; and all of it was read.
void expect_all_accounted(Watcher& watcher, const NetNs& ns, const std::string& interface);

}  // namespace orb8::netns
