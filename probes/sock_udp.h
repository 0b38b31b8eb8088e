/* UDP and all else but TCP: counted packet by packet. A socket's first peer is counted with the
 * socket itself, which is the fast way and most often the only one; further peers have a map.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_SOCK_UDP_H
#define ORB8_PROBES_SOCK_UDP_H
#include "probes/parse.h"
#include "probes/sock_owner.h"

#define UDP_CLOSED (~0ULL)

struct udp_track {
	struct orb8_socket_owner owner;
	struct orb8_tuple first_peer;
	struct orb8_transfer sent; /* payload is not kept: it follows from the headers' length */
	struct orb8_transfer received;
	__u64 told;    /* packets, when reported last; UDP_CLOSED: that was the last time */
	__u64 told_in; /* the snapshot that did */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct udp_track);
} orb8_udp SEC(".maps");

/* Sized before load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct orb8_peer_key);
	__type(value, struct orb8_peer);
	__uint(max_entries, 65536);
} orb8_peers SEC(".maps");

/* One packet of the stack, which may be many on the wire. */
struct datagram {
	struct orb8_tuple tuple;
	__u64 packets;
	__u64 bytes; /* on an Ethernet */
	bool egress;
};

static __always_inline bool same_tuple(const struct orb8_tuple *a, const struct orb8_tuple *b)
{
	const __u64 *x = (const void *)a;
	const __u64 *y = (const void *)b;

	/* Without a branch for each: a packet of the first peer has to pass them all. */
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

static __always_inline void set_ends(struct orb8_tuple *t, const void *saddr, const void *daddr,
				     __be16 sport_be, __be16 dport_be, bool egress)
{
	__builtin_memcpy(egress ? t->laddr : t->raddr, saddr, 16);
	__builtin_memcpy(egress ? t->raddr : t->laddr, daddr, 16);
	if (egress || t->proto == IPPROTO_ICMP || t->proto == IPPROTO_ICMPV6) {
		t->lport = bpf_ntohs(sport_be);
		t->rport = bpf_ntohs(dport_be);
	} else {
		t->lport = bpf_ntohs(dport_be);
		t->rport = bpf_ntohs(sport_be);
	}
}

/* GSO and GRO hand us many wire packets as one skb: each had its own copy of the headers. */
static __always_inline void measure_datagram(struct __sk_buff *skb, __u32 headers,
					     struct datagram *d)
{
	__u32 segment = skb->gso_size;

	d->packets = 1;
	d->bytes = skb->len + ETHERNET_BYTES;
	if (!segment || headers >= skb->len)
		return;
	d->packets = skb->gso_segs ?: (skb->len - headers + segment - 1) / segment;
	d->bytes += (d->packets - 1) * (headers + ETHERNET_BYTES);
}

static __always_inline void add_transfer(struct orb8_transfer *t, const struct datagram *d)
{
	__sync_fetch_and_add(&t->packets, d->packets);
	__sync_fetch_and_add(&t->bytes, d->bytes);
	t->last_jiffies = bpf_jiffies64();
}

/* Who sends is at work now, unless it is the kernel, in a softirq, by a socket without a file. Who
 * receives may be anybody.
 */
static __always_inline void owned_by_sender(struct orb8_socket_owner *owner, const struct sock *sk)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!BPF_CORE_READ(sk, sk_socket, file) || BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return;
	owned_by(owner, task);
}

/* The kernel's own pointer, which a program of this type has as a handle only. */
static __always_inline const struct sock *kernel_sock(struct bpf_sock *sk)
{
	struct bpf_sock *handle = sk;
	__u64 address = 0;

	barrier_var(handle);
	bpf_probe_read_kernel(&address, sizeof(address), &handle);
	return (const struct sock *)address;
}

static __always_inline __u32 netns_of(struct bpf_sock *sk)
{
	return BPF_CORE_READ(kernel_sock(sk), __sk_common.skc_net.net, ns.inum);
}

static __always_inline void start_track(struct __sk_buff *skb, struct bpf_sock *sk,
					const struct datagram *d, struct udp_track *track)
{
	track->first_peer = d->tuple;
	track->owner.cookie = bpf_get_socket_cookie(skb);
	track->owner.first_ns = bpf_ktime_get_boot_ns();
	track->owner.cgroup_id = bpf_skb_cgroup_id(skb);
	track->owner.netns = netns_of(sk);
	if (d->egress)
		owned_by_sender(&track->owner, kernel_sock(sk));
}

static __always_inline void fill_spill(struct orb8_socket_record *r,
				       const struct orb8_socket_owner *owner,
				       const struct datagram *d)
{
	struct orb8_transfer *moved = d->egress ? &r->sent : &r->received;

	__builtin_memset(r, 0, sizeof(*r));
	r->owner = *owner;
	r->tuple = d->tuple;
	r->kind = ORB8_SPILL;
	moved->packets = d->packets;
	moved->bytes = d->bytes;
	moved->last_jiffies = bpf_jiffies64();
}

static __always_inline void spill_datagram(const struct orb8_socket_owner *owner,
					   const struct datagram *d)
{
	__u64 wake;
	struct orb8_socket_record *r = reserve_record(&wake);

	if (!r) {
		tally_sock(ORB8_SOCK_LOST, d->packets, d->bytes);
		return;
	}
	fill_spill(r, owner, d);
	bpf_ringbuf_submit(r, wake);
	tally_sock(ORB8_SOCK_SPILLED, d->packets, d->bytes);
}

static __always_inline void count_peer(struct bpf_sock *sk, const struct udp_track *track,
				       const struct datagram *d)
{
	struct orb8_peer_key key = {.cookie = track->owner.cookie, .tuple = d->tuple};
	struct orb8_peer *peer = bpf_map_lookup_elem(&orb8_peers, &key);

	if (!peer) {
		struct orb8_peer fresh = {.owner = track->owner};

		fresh.owner.first_ns = bpf_ktime_get_boot_ns();
		/* The kernel answers echo requests of all namespaces with the same socket. */
		fresh.owner.netns = netns_of(sk);
		/* NOEXIST: if another CPU got there first, add to its entry. */
		bpf_map_update_elem(&orb8_peers, &key, &fresh, BPF_NOEXIST);
		peer = bpf_map_lookup_elem(&orb8_peers, &key);
		if (!peer) {
			spill_datagram(&track->owner, d);
			return;
		}
	}
	if (peer->owner.source != track->owner.source) { /* its holder was found meanwhile */
		peer->owner.pid = track->owner.pid;
		peer->owner.source = track->owner.source;
		__builtin_memcpy(peer->owner.comm, track->owner.comm, sizeof(peer->owner.comm));
	}
	add_transfer(d->egress ? &peer->sent : &peer->received, d);
}

static __always_inline struct udp_track *first_packet(struct __sk_buff *skb, struct bpf_sock *sk,
						      const struct datagram *d)
{
	struct udp_track fresh = {};
	struct udp_track *track;

	start_track(skb, sk, d, &fresh);
	track = bpf_sk_storage_get(&orb8_udp, sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE);
	if (!track) /* no memory, or another CPU was faster */
		track = bpf_sk_storage_get(&orb8_udp, sk, NULL, 0);
	return track;
}

static __always_inline void count_datagram(struct __sk_buff *skb, const struct datagram *d)
{
	struct bpf_sock *sk = skb->sk;
	struct udp_track *track;

	if (!sk)
		return;
	/* The helper has none of a socket that is not full; asking for that first would cost each
	 * packet another call.
	 */
	track = bpf_sk_storage_get(&orb8_udp, sk, NULL, 0);
	if (!track) {
		sk = bpf_sk_fullsock(sk);
		if (!sk)
			return;
		track = first_packet(skb, sk, d);
	}
	if (!track) /* no memory */
		tally_sock(ORB8_SOCK_LOST, d->packets, d->bytes);
	else if (same_tuple(&track->first_peer, &d->tuple))
		add_transfer(d->egress ? &track->sent : &track->received, d);
	else
		count_peer(sk, track, d);
}

static __always_inline enum orb8_fate parse_datagram(struct cursor *c, bool egress,
						     struct datagram *d)
{
	struct layer4 l4 = {};
	enum orb8_fate fate;

	d->egress = egress;
	if (c->skb->protocol == bpf_htons(ETH_P_IP)) {
		struct orb8_v4_key key = {};
		__u8 saddr[16], daddr[16];

		fate = parse_v4(c, &key, &l4);
		map_v4(saddr, key.saddr_be);
		map_v4(daddr, key.daddr_be);
		d->tuple.proto = key.proto;
		set_ends(&d->tuple, saddr, daddr, key.sport_be, key.dport_be, egress);
	} else {
		struct orb8_v6_key key = {};

		fate = parse_v6(c, &key, &l4);
		d->tuple.proto = key.proto;
		set_ends(&d->tuple, key.saddr, key.daddr, key.sport_be, key.dport_be, egress);
	}
	measure_datagram(c->skb, l4.headers, d);
	return fate;
}

/* Most packets are TCP's, which needs nobody: they leave after these two tests. */
static __always_inline bool is_tcp(struct __sk_buff *skb, const struct cursor *c)
{
	const __u8 *ip = c->data;
	__u32 at = skb->protocol == bpf_htons(ETH_P_IP) ? 9 : 6; /* protocol, or next header */

	return (void *)ip + 20 <= c->end && ip[at] == IPPROTO_TCP;
}

static __always_inline void observe_datagram(struct __sk_buff *skb, bool egress)
{
	struct cursor c = {
	    .skb = skb,
	    .data = (void *)(long)skb->data,
	    .end = (void *)(long)skb->data_end,
	};
	struct datagram d = {};

	if (is_tcp(skb, &c))
		return;
	if (parse_datagram(&c, egress, &d) != ORB8_COUNTED)
		tally_sock(ORB8_SOCK_UNPARSED, d.packets, d.bytes);
	else if (d.tuple.proto != IPPROTO_TCP)
		count_datagram(skb, &d);
}

/* --- reports --- */

static __always_inline void fill_udp(struct orb8_socket_record *r, const struct udp_track *track)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->tuple = track->first_peer;
	r->owner = track->owner;
	r->sent = track->sent;
	r->received = track->received;
	r->kind = ORB8_SNAPSHOT;
}

static __always_inline void udp_closes(struct bpf_sock *sk)
{
	struct udp_track *track = bpf_sk_storage_get(&orb8_udp, sk, NULL, 0);
	struct orb8_socket_record *r;
	__u64 wake;

	if (!track)
		return;
	r = reserve_record(&wake);
	if (!r) {
		tally_sock(ORB8_SOCK_CLOSES_LOST, track->sent.packets + track->received.packets,
			   track->sent.bytes + track->received.bytes);
		track->told = UDP_CLOSED;
		return;
	}
	fill_udp(r, track);
	r->kind = ORB8_CLOSED;
	/* A program of this type cannot delete the track; as it is, no snapshot reports it again.
	 */
	track->told = UDP_CLOSED;
	bpf_ringbuf_submit(r, wake);
	tally_sock(ORB8_SOCK_CLOSES, 0, 0);
}
#endif
