/* What is remembered of a TCP connection, and where.
 *
 * In a table of slots, found by the socket's address: an allocation for each connection, as
 * socket-local storage makes one, costs more than all else that is done for a short one. Where both
 * slots of an address are taken, and for sockets that are older than the probes, it is in
 * socket-local storage after all.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_TCP_TRACK_H
#define ORB8_PROBES_TCP_TRACK_H
#include "probes/sock_owner.h"

/* The kernel's segment counters have 32 bits: minutes at 100 Gbit/s. */
struct segments {
	__u64 before; /* of all that came before `since` */
	__u32 since;  /* the kernel's counter then */
	__u32 told;   /* the kernel's counter when it was reported last */
};

/* From the connection's opening on, or from when it was found. */
struct tcp_track {
	struct orb8_socket_owner owner;
	__u64 sent_before; /* the kernel's counters when it was found */
	__u64 sequenced_before;
	__u64 retransmitted_before;
	__u64 received_before;
	struct segments out;
	struct segments in;
	__u32 retransmits_before;
	__u32 told_waiting; /* bytes in both queues, when reported last */
	__u64 told_in;	    /* the snapshot that did */
	__u64 open_since;   /* owner.first_ns; 0: its last record was sent */
};

#define SLOT_FREE 0
#define SLOT_TAKEN 1 /* and not filled yet */

struct tcp_slot {
	__u64 sk; /* the socket's address, or SLOT_* */
	struct tcp_track track;
	__u64 doubted; /* first_ns of a socket that a snapshot did not find at its address */
};

/* Set before load: the logarithm of the number of slots; 0: there is no table. */
const volatile __u32 orb8_slot_bits = 13;

/* Sized before load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct tcp_slot);
	__uint(max_entries, 1 << 13);
} orb8_tcp_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tcp_track);
} orb8_tcp SEC(".maps");

/* As a number to calculate with, which the verifier does not let a pointer be. */
static __always_inline __u64 address_of(struct sock *sk)
{
	struct sock *pointer = sk;
	__u64 address = 0;

	barrier_var(pointer);
	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

/* Fibonacci hashing: sockets lie in steps of their size. */
static __always_inline struct tcp_slot *slot_at(__u64 address, __u32 way)
{
	__u32 key;

	if (orb8_slot_bits == 0)
		return NULL;
	key = ((address >> 6) * 0x9e3779b97f4a7c15ULL) >> (64 - orb8_slot_bits);

	key ^= way;
	return bpf_map_lookup_elem(&orb8_tcp_slots, &key);
}

static __always_inline struct tcp_slot *slot_of(__u64 address)
{
	struct tcp_slot *slot = slot_at(address, 0);

	if (slot && slot->sk == address)
		return slot;
	slot = slot_at(address, 1);
	return slot && slot->sk == address ? slot : NULL;
}

/* From whoever `holder` is, or from nobody: SLOT_FREE. */
static __always_inline bool take_slot(struct tcp_slot *slot, __u64 holder)
{
	return slot && slot->sk == holder &&
	       __sync_val_compare_and_swap(&slot->sk, holder, SLOT_TAKEN) == holder;
}

static __always_inline struct tcp_slot *free_slot(__u64 address)
{
	struct tcp_slot *slot = slot_at(address, 0);

	if (take_slot(slot, SLOT_FREE))
		return slot;
	slot = slot_at(address, 1);
	return take_slot(slot, SLOT_FREE) ? slot : NULL;
}

/* A barrier: nobody meets a slot whose track is half written. */
static __always_inline void set_slot(struct tcp_slot *slot, __u64 address)
{
	__sync_lock_test_and_set(&slot->sk, address);
}

/* NULL: there is no memory for it, or no more of it for this socket (net.core.optmem_max). */
static __always_inline struct tcp_track *stored_track(struct sock *sk)
{
	struct tcp_track *track = bpf_sk_storage_get(&orb8_tcp, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!track) /* another CPU may have been faster */
		track = bpf_sk_storage_get(&orb8_tcp, sk, 0, 0);
	if (!track)
		tally_sock(ORB8_SOCK_UNTRACKED, 0, 0);
	return track;
}

/* True for one who asks: the last record of what has been open since then is his to send. */
static __always_inline bool take_end(struct tcp_track *track, __u64 open_since)
{
	return open_since &&
	       __sync_val_compare_and_swap(&track->open_since, open_since, 0) == open_since;
}
#endif
