/* Flows and packets, as they cross the kernel/user line. BPF C and C++ both include this file;
 * nothing copies it.
 * SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) OR Apache-2.0
 */
#ifndef ORB8_COMMON_NETWORK_H
#define ORB8_COMMON_NETWORK_H
#include "common/abi.h"

enum orb8_dir { ORB8_INGRESS, ORB8_EGRESS };

/* What became of a packet, once for each probe that it met. Indexes the orb8_tally map. */
enum orb8_fate {
	ORB8_COUNTED,	/* added to a flow */
	ORB8_SPILLED,	/* flow map full: sent to user space through the spill ring */
	ORB8_LOST,	/* flow map full and spill ring full */
	ORB8_DUPLICATE, /* counted before, at another hook */
	ORB8_OWN,	/* the agent's own gRPC traffic */
	ORB8_NOT_IP,
	ORB8_TRUNCATED, /* a header is cut short, or has an impossible length or address */
	ORB8_UNPARSED,	/* more stacked headers than the parser follows */
	ORB8_FATE_MAX,
};

/* Ports as on the wire; for ICMP and ICMPv6 the type stands in for the source port and the code
 * for the destination port. Both are 0 for a protocol without ports, and for a later fragment
 * whose first one was not seen.
 */
struct orb8_v4_key {
	__be32 saddr_be;
	__be32 daddr_be;
	__be16 sport_be;
	__be16 dport_be;
	__u8 proto;  /* IPPROTO_* */
	__u8 pad[3]; /* named, so that "= {}" zeroes it: map keys compare every byte */
};

struct orb8_v6_key {
	__u8 saddr[16]; /* network order; the spill ring also carries IPv4, v4-mapped */
	__u8 daddr[16];
	__be16 sport_be;
	__be16 dport_be;
	__u8 proto;
	__u8 pad[3];
};

/* A hook is one direction of one interface. */
#define ORB8_HOOK(ifindex, dir) (((__u32)(ifindex) << 1) | (dir))

/* A flow counts at one hook only, its anchor: the first that saw it. */
struct orb8_flow_stats {
	__u64 packets;	    /* wire packets: a GSO packet counts its segments */
	__u64 bytes;	    /* wire bytes from the link layer header on, without FCS */
	__u64 first_ns;	    /* CLOCK_BOOTTIME; also tells one entry of a key from the next */
	__u64 last_jiffies; /* jiffies64: a load, where reading a clock costs more than the rest */
	__u64 cgroup_id;    /* of the sending socket; 0 where there is none */
	__u32 anchor;	    /* ORB8_HOOK() */
	__u8 dir;	    /* where first seen; stays when the anchor moves */
	__u8 tcp_flags;	    /* all seen, but a race of two CPUs may lose a bit; so, exactly: */
	__u8 pad[2];
	__u8 flag_seen[8]; /* one byte for each bit of the TCP flags, 0 or 1 */
};

/* The event that a packet listener gets. Addresses and ports are numbers in host order. */
struct network_flow_event {
	__u64 cgroup_id;
	__u64 timestamp_ns; /* CLOCK_BOOTTIME */
	__u32 src_ip;
	__u32 dst_ip;
	__u16 src_port;
	__u16 dst_port;
	__u8 protocol;
	__u8 direction;
	__u16 packet_len; /* saturates: a GSO packet can be longer, see orb8_packet_more */
};

struct network_flow_event_v6 {
	__u64 cgroup_id;
	__u64 timestamp_ns;
	__u8 src_ip[16];
	__u8 dst_ip[16];
	__u16 src_port;
	__u16 dst_port;
	__u8 protocol;
	__u8 direction;
	__u16 packet_len;
};

/* Follows the event in its ring record: what 32 bytes have no room for. */
struct orb8_packet_more {
	__u32 bytes; /* wire bytes, not saturated */
	__u32 ifindex;
	__u16 packets; /* wire packets */
	__u8 tcp_flags;
	__u8 pad[5];
};

struct orb8_packet_v4 {
	struct network_flow_event event;
	struct orb8_packet_more more;
};

struct orb8_packet_v6 {
	struct network_flow_event_v6 event;
	struct orb8_packet_more more;
};

/* One packet that found its flow map full. */
struct orb8_spilled {
	struct orb8_v6_key key;
	__u64 packets;
	__u64 bytes;
	__u64 timestamp_ns; /* CLOCK_BOOTTIME */
	__u64 cgroup_id;
	__u32 hook; /* ORB8_HOOK() */
	__u8 tcp_flags;
	__u8 pad[3];
};

/* One listener's filter, an AND of its tests. The address, v4-mapped or IPv6, is compared under the
 * mask. An address and a port are looked for on the sides that are named, and on no side if that
 * is 0: then they test nothing.
 */
#define ORB8_FILTER_MAX 16
#define ORB8_SIDE_SRC 1
#define ORB8_SIDE_DST 2

struct orb8_packet_filter {
	__u64 addr[2]; /* network order bytes */
	__u64 mask[2];
	__u16 port_first; /* of a range; host byte order */
	__u16 port_last;
	__u8 addr_sides; /* ORB8_SIDE_* */
	__u8 port_sides;
	__u8 proto; /* tested if has_proto */
	__u8 dir;   /* tested if has_dir */
	__u8 has_proto;
	__u8 has_dir;
	__u8 has_family; /* 4 or 6: only this family; 0: both */
	__u8 pad[5];
};

/* Fixed when the probes are loaded. */
struct orb8_constants {
	__u64 takeover_jiffies; /* an anchor silent for so long gives way to another hook */
};

/* What user space tells the running probes, by the shared memory of a global variable. Set count
 * to 0, write the filters, then set count: a packet event is made if any of them matches.
 */
struct orb8_control {
	__be16 own_port_be; /* the agent's gRPC port; 0: none */
	__u8 pad[2];
	__u32 filter_count;
	struct orb8_packet_filter filters[ORB8_FILTER_MAX];
};

/* A local address: there, the agent's own port is the agent's. */
struct orb8_own_addr {
	__u8 addr[16];
};

/* The first fragment of a datagram tells the ports of the others. What identifies it: RFC 791, 3.2
 * and RFC 8200, 4.5.
 */
struct orb8_fragment {
	__u8 saddr[16];
	__u8 daddr[16];
	__be32 id_be;
	__u8 proto; /* of IPv4; IPv6 fragments need not agree on theirs, so 0 */
	__u8 pad[3];
};

struct orb8_tally {
	__u64 packets;
	__u64 bytes;
};

struct orb8_tallies {
	struct orb8_tally fate[ORB8_FATE_MAX];
	__u64 events_sent;
	__u64 events_lost; /* the packet ring was full */
};

ORB8_ABI_SIZE(orb8_v4_key, 16);
ORB8_ABI_SIZE(orb8_v6_key, 40);
ORB8_ABI_AT(orb8_v6_key, sport_be, 32);
ORB8_ABI_SIZE(orb8_flow_stats, 56);
ORB8_ABI_AT(orb8_flow_stats, anchor, 40);
ORB8_ABI_AT(orb8_flow_stats, flag_seen, 48);
ORB8_ABI_SIZE(network_flow_event, 32);
ORB8_ABI_ALIGN(network_flow_event, 8);
ORB8_ABI_AT(network_flow_event, timestamp_ns, 8);
ORB8_ABI_AT(network_flow_event, src_ip, 16);
ORB8_ABI_AT(network_flow_event, dst_ip, 20);
ORB8_ABI_AT(network_flow_event, src_port, 24);
ORB8_ABI_AT(network_flow_event, dst_port, 26);
ORB8_ABI_AT(network_flow_event, protocol, 28);
ORB8_ABI_AT(network_flow_event, direction, 29);
ORB8_ABI_AT(network_flow_event, packet_len, 30);
ORB8_ABI_SIZE(network_flow_event_v6, 56);
ORB8_ABI_ALIGN(network_flow_event_v6, 8);
ORB8_ABI_SIZE(orb8_packet_more, 16);
ORB8_ABI_SIZE(orb8_packet_v4, 48);
ORB8_ABI_SIZE(orb8_packet_v6, 72);
ORB8_ABI_SIZE(orb8_spilled, 80);
ORB8_ABI_SIZE(orb8_packet_filter, 48);
ORB8_ABI_SIZE(orb8_constants, 8);
ORB8_ABI_SIZE(orb8_control, 776);
ORB8_ABI_SIZE(orb8_fragment, 40);
ORB8_ABI_SIZE(orb8_own_addr, 16);
ORB8_ABI_SIZE(orb8_tallies, 144);
#endif
