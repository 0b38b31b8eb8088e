// The real socket source at work, and the flows that it told of so far.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/flow/flow_table.h"
#include "core/source/socket_source.h"
#include "tests/netns/netns_fixture.h"
#include "tests/netns/topology.h"
#include "tests/netns/traffic.h"

namespace orb8::netns {

// The inode number that /proc/<pid>/ns/net shows.
std::uint32_t netns_inode(const NetNs& ns);

// What every test of the socket source stands on. By this name kernels are told apart that have it
// from those that do not (tests/kernels/features.txt).
class SocketSourceTest : public NetnsTest {};

// Two hosts that talk by the family that is the parameter, with all that a stack leaves to a NIC.
class SocketPairTest : public SocketSourceTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    SocketSourceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    net_ = std::make_unique<TwoHosts>();
    net_->up(true);
  }
  const Host& a() const { return net_->a; }
  const Host& b() const { return net_->b; }
  Addr a_addr() const { return a().addr(GetParam()); }
  Addr b_addr() const { return b().addr(GetParam()); }
  Ends a_to_b(std::uint16_t port = 5000) const { return {a_addr(), port, b_addr(), kPort}; }

 private:
  std::unique_ptr<TwoHosts> net_;
};

// Sees the sockets of all namespaces; the tests look at those of their own.
class SocketWatcher {
 public:
  static SocketSource::Options options();

  explicit SocketWatcher(SocketSource::Options options = SocketWatcher::options());

  // A snapshot, and all that is ready.
  void read();

  // The flow as the socket in `ns` sees it, read anew until `ready` says true of it or the deadline
  // has passed. Throws where there is none.
  using ReadyFn = std::function<bool(const Flow&)>;
  Flow flow(const NetNs& ns, const Ends& ends, std::uint8_t protocol, Direction direction,
            const ReadyFn& ready);

  using PickFn = std::function<bool(const Flow&)>;
  std::vector<Flow> flows(const PickFn& pick) const;
  // All that the sockets of this namespace sent or received.
  Totals totals(const NetNs& ns, std::uint8_t protocol, Direction direction) const;

  // As one that is evicted; its row stays, until empty_table().
  void forget(const Flow& flow);
  void empty_table();
  // Of the interfaces of this namespace.
  void want_packets(const NetNs& ns, const std::vector<PacketFilter>& filters);
  const std::vector<Event>& packets() const { return packets_; }
  SourceStatus status() const { return source_->status(); }
  Accounting accounting() const { return status().accounting; }

 private:
  void add(const FlowRecord& record);

  std::unique_ptr<FlowSource> source_;
  std::vector<Event> packets_;
  std::unique_ptr<FlowTable> table_;
};

// A flow with at least so many bytes of the application.
inline SocketWatcher::ReadyFn payload_of(std::uint64_t bytes) {
  return [bytes](const Flow& flow) { return flow.payload_bytes >= bytes; };
}

}  // namespace orb8::netns
