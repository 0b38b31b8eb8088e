/* Sockets, as they cross the kernel/user line. BPF C and C++ both include this file; nothing copies
 * it.
 * SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) OR Apache-2.0
 */
#ifndef ORB8_COMMON_SOCKET_H
#define ORB8_COMMON_SOCKET_H
#include "common/abi.h"

enum orb8_role {
	ORB8_ROLE_UNKNOWN, /* was open before the probes, or never opened anything (UDP) */
	ORB8_ROLE_CLIENT,
	ORB8_ROLE_SERVER,
};

/* How sure we are of pid and comm. */
enum orb8_owner {
	ORB8_OWNER_UNKNOWN,  /* nobody was there to ask: pid is 0 */
	ORB8_OWNER_LISTENER, /* of the process that listens; another may have accepted it */
	ORB8_OWNER_EXACT,
};

/* Both ends as the socket sees them; IPv4 is v4-mapped. For ICMP and ICMPv6, where lport and rport
 * have no meaning, they hold the type and the code.
 */
struct orb8_tuple {
	__u8 laddr[16];
	__u8 raddr[16];
	__u16 lport; /* host order */
	__u16 rport;
	__u8 proto; /* IPPROTO_*; 0: not known yet */
	__u8 pad[3];
};

/* Whose a socket is. */
struct orb8_socket_owner {
	__u64 cookie;	/* as `ss -e` shows it */
	__u64 first_ns; /* CLOCK_BOOTTIME: when it opened, or when it was found */
	__u64 cgroup_id;
	__u32 netns; /* inode number, as /proc/<pid>/ns/net shows it */
	__u32 pid;   /* of the process (tgid), in the first pid namespace */
	__u8 role;   /* enum orb8_role */
	__u8 source; /* enum orb8_owner */
	__u8 pad[6];
	char comm[16];
};

struct orb8_transfer {
	__u64 packets;	    /* wire packets */
	__u64 bytes;	    /* wire bytes, with an Ethernet header each; TCP's are an estimate */
	__u64 payload;	    /* what the application handed over, or got */
	__u64 last_jiffies; /* when something moved last; 0: never */
};

enum orb8_record_kind {
	ORB8_SNAPSHOT, /* the counters so far */
	ORB8_LISTENS,  /* a socket that began to listen */
	ORB8_CLOSED,   /* the last counters of a socket that closed */
	ORB8_SPILL,    /* one packet's, that found no room in the kernel */
};

/* One socket, or one peer of it, at one instant. */
struct orb8_socket_record {
	struct orb8_tuple tuple;
	struct orb8_socket_owner owner;
	struct orb8_transfer sent;
	struct orb8_transfer received;
	__u64 retransmitted_bytes;
	__u32 retransmits; /* segments */
	__u32 rtt_us;	   /* smoothed */
	__u32 min_rtt_us;
	__u32 cwnd; /* segments */
	__u32 unread_bytes;
	__u32 unsent_bytes; /* not acknowledged, or not sent yet */
	__s32 error;	    /* errno that the connection ended with */
	__u8 state;	    /* TCP_*, as in <netinet/tcp.h>; TCP_CLOSE: it is over */
	__u8 old_state;	    /* where `state` is TCP_CLOSE: the state before */
	__u8 kind;	    /* enum orb8_record_kind */
	__u8 pad[1];
};

/* One peer of a socket that has several. */
struct orb8_peer_key {
	__u64 cookie;
	struct orb8_tuple tuple;
};

struct orb8_peer {
	struct orb8_socket_owner owner;
	struct orb8_transfer sent;
	struct orb8_transfer received;
};

/* What became of what the socket probes saw. Indexes orb8_sock_tally. */
enum orb8_sock_fate {
	ORB8_SOCK_CLOSES,      /* last records sent; their packets and bytes are not added here */
	ORB8_SOCK_CLOSES_LOST, /* last records that found no room, or were never made */
	ORB8_SOCK_SPILLED,     /* the peers' map was full: sent one by one */
	ORB8_SOCK_LOST,	       /* and the ring too */
	ORB8_SOCK_UNPARSED,    /* a packet whose headers cannot be read */
	ORB8_SOCK_UNTRACKED,   /* no memory for a TCP socket's track: times it was asked for */
	ORB8_SOCK_LISTENERS_UNTOLD, /* no room in the ring: orb8_listeners has them still */
	ORB8_SOCK_FATE_MAX,
};

struct orb8_sock_tally {
	__u64 times;
	__u64 packets;
	__u64 bytes;
};

struct orb8_sock_tallies {
	struct orb8_sock_tally fate[ORB8_SOCK_FATE_MAX];
};

ORB8_ABI_SIZE(orb8_tuple, 40);
ORB8_ABI_AT(orb8_tuple, lport, 32);
ORB8_ABI_SIZE(orb8_socket_owner, 56);
ORB8_ABI_SIZE(orb8_transfer, 32);
ORB8_ABI_SIZE(orb8_socket_record, 200);
ORB8_ABI_AT(orb8_socket_record, sent, 96);
ORB8_ABI_AT(orb8_socket_record, retransmitted_bytes, 160);
ORB8_ABI_SIZE(orb8_peer_key, 48);
ORB8_ABI_SIZE(orb8_peer, 120);
ORB8_ABI_SIZE(orb8_sock_tallies, 168);
#endif
