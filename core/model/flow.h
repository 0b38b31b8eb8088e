// Flows as values: what a source reports, what the table keeps, what a stream carries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/model/addr.h"
#include "core/model/endpoint.h"
#include "core/model/owner.h"
#include "core/model/socket_facts.h"

namespace orb8 {

// Seen from this machine (or from the pod behind the interface): received or sent.
enum class Direction : std::uint8_t { kIngress = 0, kEgress = 1 };

std::string_view to_string(Direction direction);
std::optional<Direction> parse_direction(std::string_view text);

// "TCP", "UDP", "ICMP", "ICMPv6", "SCTP", ...; a number for what has no common name.
std::string protocol_name(std::uint8_t protocol);
// A name in any case, or a number 0..255.
std::optional<std::uint8_t> parse_protocol(std::string_view text);

bool is_icmp(std::uint8_t protocol);

// One direction of one conversation. For ICMP and ICMPv6 src_port is the type and dst_port the
// code; both are 0 for a protocol without ports and for a fragment whose first part was not seen.
struct FlowKey {
  Addr src;
  Addr dst;
  std::uint16_t src_port = 0;
  std::uint16_t dst_port = 0;
  std::uint8_t protocol = 0;  // IPPROTO_*
  Direction direction = Direction::kIngress;
  // The socket's cookie, where flows come from sockets: then each end of a connection inside this
  // machine is a flow of its own, and so are equal addresses in two namespaces. 0: from packets.
  std::uint64_t socket = 0;

  bool operator==(const FlowKey&) const = default;
};

// Of both ends and the protocol alone: the same for both directions' sockets of a connection inside
// this machine. Seeded anew in each process.
std::uint64_t hash_of_ends(const FlowKey& key) noexcept;

struct FlowKeyHash {
  std::size_t operator()(const FlowKey& key) const noexcept;
};

// Bits of the TCP header's flags byte, all seen so far (RFC 9293, 3.1).
enum TcpFlag : std::uint8_t {
  kTcpFin = 0x01,
  kTcpSyn = 0x02,
  kTcpRst = 0x04,
  kTcpPsh = 0x08,
  kTcpAck = 0x10,
  kTcpUrg = 0x20,
  kTcpEce = 0x40,
  kTcpCwr = 0x80,
};

// "SYN|ACK"; empty for 0.
std::string tcp_flags_text(std::uint8_t flags);
// "SYN,ACK" or "syn|ack": absent where there is none, or one that does not exist.
std::optional<std::uint8_t> parse_tcp_flags(std::string_view text);

// How it is known that a flow has ended.
enum class FlowLife : std::uint8_t {
  kByPackets,  // by silence, or by FIN and RST
  kOpen,       // its socket is open: however silent, it goes on
  kClosed,     // its socket is closed: this was the last of it
};

// What a source says of one flow. Counters are cumulative since the kernel made its entry, which
// `incarnation` identifies (the OpenTelemetry "cumulative temporality with a start"); incarnation 0
// marks an increment that stands alone, as a packet that found the kernel's map full.
struct FlowRecord {
  FlowKey key;
  FlowLife life = FlowLife::kByPackets;
  std::uint64_t packets = 0;        // wire packets: a GSO packet counts its segments
  std::uint64_t bytes = 0;          // wire bytes from the link layer header on, without FCS
  std::uint64_t payload_bytes = 0;  // of the application; 0 from packets, which do not tell
  std::uint64_t incarnation = 0;
  std::int64_t first_seen_ns = 0;  // Unix epoch
  std::int64_t last_seen_ns = 0;   // Unix epoch
  std::uint64_t cgroup_id = 0;     // of the sending socket; 0: not known
  std::uint32_t ifindex = 0;       // where it was counted
  std::uint8_t tcp_flags = 0;
  std::uint32_t pid = 0;        // of the process behind the socket; 0: not known
  std::array<char, 16> comm{};  // and its name, NUL-padded
  SocketFacts socket;
};

// How far a source's counters of one flow had come by some moment.
struct FlowProgress {
  std::uint64_t incarnation = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t retransmitted_bytes = 0;
  std::uint32_t retransmits = 0;
};

// A flow, and what its source has said of it.
struct ToldFlow {
  FlowKey key;
  FlowProgress told;
  FlowLife life = FlowLife::kByPackets;
};

// Both sides' owners, resolved when a flow is first seen, again when its process changes, and once
// more where somebody who was not known then has shown up.
struct FlowOwners {
  EndpointRef src;
  EndpointRef dst;
  EndpointRef src_service;  // Services that were addressed: beside the pods that stand behind them
  EndpointRef dst_service;
  OwnerRef local;  // of the socket that the flow was read from

  bool operator==(const FlowOwners&) const = default;  // the same ones, not equal ones
};

// Owners, shared by all flows between the same two and never changed: that is what a row has room
// for. Made of nothing, nobody is known.
class FlowOwnersRef {
 public:
  FlowOwnersRef() = default;
  FlowOwnersRef(FlowOwners owners)  // NOLINT(google-explicit-constructor): the same thing, shared
      : shared_(std::make_shared<const FlowOwners>(std::move(owners))) {}

  const FlowOwners& operator*() const noexcept;
  const FlowOwners* operator->() const noexcept { return &**this; }
  // Who holds it beside this one?
  bool is_shared() const noexcept { return shared_.use_count() > 1; }

 private:
  std::shared_ptr<const FlowOwners> shared_;
};

enum class EndReason : std::uint8_t {
  kNone,
  kClosed,   // FIN or RST seen, then silence
  kIdle,     // nothing for the flow timeout
  kEvicted,  // pushed out of a full table
};

std::string_view to_string(EndReason reason);  // "", "closed", "idle", "evicted"

// A row of the flow table, or of the history: all that was counted while the flow lived.
struct Flow {
  FlowKey key;
  std::uint32_t ifindex = 0;
  std::uint8_t tcp_flags = 0;
  FlowLife life = FlowLife::kByPackets;
  EndReason end_reason = EndReason::kNone;  // of one that has left the table
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t payload_bytes = 0;
  std::int64_t first_seen_ns = 0;  // Unix epoch
  std::int64_t last_seen_ns = 0;   // Unix epoch
  SocketFacts socket;
  FlowOwnersRef owners;
};

// Why the flow is over: also where its socket is closed, and its row still there for a little.
EndReason end_of(const Flow& flow);

// The namespace and pod name shown for a flow: the pod it is seen from, else its peer, else
// external/unknown.
struct PodName {
  std::string_view name_space;
  std::string_view name;
};
PodName shown_pod(const FlowKey& key, const FlowOwners& owners);

}  // namespace orb8
