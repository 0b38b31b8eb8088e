// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flows from sockets. Nothing runs for a packet of TCP: what moved is read from the kernel's own
 * counters, when user space takes a snapshot and when a connection ends.
 *
 * - orb8_sock_state (tp_btf/inet_sock_set_state): a TCP socket that connects or is accepted gets a
 *   track, one that listens an entry in orb8_listeners; one that closes sends its last record to
 *   orb8_sock_ring. orb8_sock_gone (tp_btf/tcp_destroy_sock) does so where the first did not
 *   run.
 * - orb8_snap_slots, orb8_snap_socks, orb8_snap_udp (iterators over where the tracks are): a record
 *   for each socket that moved since the last time, of all network namespaces.
 * - orb8_find_socks (iter/task_file): sockets older than the probes, and who holds them.
 * - orb8_skb_in, orb8_skb_out (cgroup_skb): UDP, ICMP and all else but TCP, packet by packet, in
 *   the storage (orb8_udp) and, beyond a socket's first peer, in orb8_peers. orb8_release
 *   (cgroup/sock_release) sends such a socket's last record.
 *
 * Lost is what finds the ring full: the last record of a socket, or a packet that found orb8_peers
 * full too. orb8_sock_tally counts both, with packets and bytes.
 */
#include "probes/clock.h"
#include "probes/sock_listen.h"
#include "probes/sock_tcp.h"
#include "probes/sock_udp.h"

#include <bpf/bpf_tracing.h>

#define PASS 1

static __always_inline void take_change(struct sock *sk, int old_state, int new_state)
{
	if (old_state == TCP_SYN_RECV && new_state != TCP_CLOSE)
		child_is_made(sk);
	switch (new_state) {
	case TCP_SYN_SENT:
		client_opens(sk);
		break;
	case TCP_SYN_RECV:
		if (old_state == TCP_LISTEN) /* else both sides called: RFC 9293, 3.5 */
			server_opens(sk);
		break;
	case TCP_LISTEN:
		is_no_connection(sk);
		server_listens(sk);
		break;
	case TCP_CLOSE:
		if (old_state == TCP_LISTEN)
			stops_listening(sk);
		else if (old_state != TCP_CLOSE) /* which it may be told once more */
			closes(sk, old_state);
		break;
	}
}

/* The other changes tell nothing that the counters do not. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(orb8_sock_state, struct sock *sk, int old_state, int new_state)
{
	if (sk->sk_protocol == IPPROTO_TCP)
		take_change(sk, old_state, new_state);
	return 0;
}

/* A kernel does not run a program inside itself: what a softirq brings while the first one is at
 * work for a process, on the same CPU, is left out there.
 */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(orb8_sock_gone, struct sock *sk)
{
	is_destroyed(sk);
	return 0;
}

/* A snapshot's records: user space maps it, empties it when it is full, and the walk goes on. The
 * iterator's own way out is a page of 32 KiB, and a walk that stops pays for it: the kernel's map
 * of socket storage has next to no buckets, and it looks its way back to where it was.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct orb8_socket_record);
	__uint(max_entries, 4096);
} orb8_snap_out SEC(".maps");

__u32 orb8_snap_count; /* records there; the one walk at a time adds, user space sets it to 0 */

__u8 orb8_snap_all; /* 1: also sockets that have not moved, to see which are left */

__u64 orb8_snap_id; /* of the snapshot: each socket is told once in it, however often it is met */

#define COME_BACK 1 /* ends the read with EAGAIN; the next one begins with the same socket */

/* Stays the next one until it is counted. */
static __always_inline struct orb8_socket_record *next_snapshot_record(void)
{
	__u32 at = orb8_snap_count;

	return bpf_map_lookup_elem(&orb8_snap_out, &at);
}

/* What a snapshot looks at. */
struct sight {
	struct tcp_track *track;
	const struct sock *sk; /* or a copy of it */
	const struct tcp_sock *tp;
	__u64 open_since; /* of the track, when it was found to be this socket's */
	__u8 state;	  /* read before the counters */
};

/* A child has its listener's state at first, and is nobody's connection until it is established. */
static __always_inline bool is_to_tell(const struct sight *at)
{
	return at->open_since && at->state != TCP_LISTEN && at->state != TCP_SYN_RECV &&
	       at->track->told_in != orb8_snap_id;
}

/* 0, or COME_BACK. */
static __always_inline int tell_moved(const struct sight *at)
{
	struct tcp_track *track = at->track;
	const struct tcp_sock *tp = at->tp;
	__u32 waiting =
	    bytes_between(tp->copied_seq, tp->rcv_nxt) + bytes_between(tp->snd_una, tp->write_seq);
	/* A track is made before the state changes: this one closed unseen, or is about to open. */
	bool unseen = at->state == TCP_CLOSE;
	struct orb8_socket_record *r;

	if (unseen && (tp->segs_out == track->out.since || is_wiped(at->sk)))
		return 0;
	if (!unseen && !orb8_snap_all && tp->segs_in == track->in.told &&
	    tp->segs_out == track->out.told && waiting == track->told_waiting)
		return 0;
	r = next_snapshot_record();
	if (!r)
		return COME_BACK;
	if (unseen)
		fill_closed(r, track, at->sk, tp, unseen_old_state(track, tp));
	else
		fill_tcp(r, track, at->sk, tp, 0);
	/* The slot may have got another socket meanwhile. */
	if (r->owner.cookie != (__u64)at->sk->__sk_common.skc_cookie.counter)
		return 0;
	if (unseen && !take_end(track, at->open_since))
		return 0;
	track->in.told = tp->segs_in;
	track->out.told = tp->segs_out;
	track->told_waiting = waiting;
	track->told_in = orb8_snap_id;
	orb8_snap_count++;
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int orb8_snap_socks(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sight at = {.track = ctx->value, .sk = ctx->sk};
	struct sock *sk = ctx->sk;

	if (!sk || !at.track)
		return 0;
	at.state = sk->__sk_common.skc_state;
	barrier(); /* in this order: it may close just now */
	at.open_since = at.track->open_since;
	if (!is_to_tell(&at))
		return 0;
	name_by_cookie(at.track, sk);
	at.tp = bpf_skc_to_tcp_sock(sk);
	return at.tp ? tell_moved(&at) : 0;
}

/* The memory of a socket, as it was a moment ago. */
struct sock_copy {
	__u8 bytes[4096];
};

/* Of the one walk at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct sock_copy);
	__uint(max_entries, 1);
} orb8_sock_copy SEC(".maps");

/* By its address alone, behind which another socket may be by now, or none. NULL: it cannot be
 * read.
 */
static __always_inline struct sock *copy_sock(__u64 address)
{
	const struct sock *sk = (const void *)address;
	__u32 zero = 0;
	struct sock_copy *copy = bpf_map_lookup_elem(&orb8_sock_copy, &zero);
	struct sock *copied = (struct sock *)copy;

	if (!copy || bpf_probe_read_kernel(copy, bpf_core_type_size(struct tcp_sock), sk) != 0)
		return NULL;
	/* Later than the counters: see payload_sent(). */
	copied->__sk_common.skc_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	return copied;
}

/* A child that is not made yet has no cookie. One that was made unseen is given up, and found as
 * others are that nobody saw opening.
 */
static __always_inline bool is_of(const struct tcp_track *track, const struct sock *sk)
{
	__u64 cookie = track->owner.cookie;

	return cookie ? cookie == (__u64)sk->__sk_common.skc_cookie.counter
		      : sk->__sk_common.skc_state == TCP_SYN_RECV;
}

/* At the second time: the first may have come between two sockets of one address. */
static __always_inline void doubt(struct tcp_slot *slot, __u64 address)
{
	__u64 first_ns = slot->track.owner.first_ns;

	if (!first_ns || slot->doubted != first_ns) {
		slot->doubted = first_ns;
		return;
	}
	if (__sync_val_compare_and_swap(&slot->sk, address, SLOT_FREE) == address &&
	    slot->track.open_since)
		tally_sock(ORB8_SOCK_CLOSES_LOST, 0, 0);
}

SEC("iter/bpf_map_elem")
int orb8_snap_slots(struct bpf_iter__bpf_map_elem *ctx)
{
	struct tcp_slot *slot = ctx->value;
	struct sight at = {};
	struct sock *sk;
	__u64 address;
	int result;

	if (!slot)
		return 0;
	address = slot->sk;
	if (address == SLOT_FREE || address == SLOT_TAKEN)
		return 0;
	at.track = &slot->track;
	at.open_since = at.track->open_since;
	sk = copy_sock(address);
	if (!sk || !is_of(at.track, sk)) {
		doubt(slot, address);
		return 0;
	}
	at.sk = sk;
	at.tp = (const struct tcp_sock *)sk;
	at.state = sk->__sk_common.skc_state;
	if (is_to_tell(&at)) {
		result = tell_moved(&at);
		if (result != 0)
			return result;
	}
	/* Nobody holds it, and no program met its end; what there was to tell of it is told. */
	if (sk->__sk_common.skc_refcnt.refs.counter == 0)
		doubt(slot, address);
	else
		slot->doubted = 0;
	return 0;
}

SEC("iter/bpf_map_elem")
int orb8_snap_listen(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct orb8_listener *listener = ctx->value;
	struct orb8_socket_record r;

	if (!listener)
		return 0;
	fill_listener(&r, listener, ORB8_LISTENS);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int orb8_snap_udp(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct udp_track *track = ctx->value;
	struct orb8_socket_record *r;
	__u64 packets;

	if (!ctx->sk || !track || track->told_in == orb8_snap_id)
		return 0;
	packets = track->sent.packets + track->received.packets;
	if (track->told == UDP_CLOSED || (!orb8_snap_all && packets == track->told))
		return 0;
	r = next_snapshot_record();
	if (!r)
		return COME_BACK;
	track->told = packets;
	track->told_in = orb8_snap_id;
	fill_udp(r, track);
	orb8_snap_count++;
	return 0;
}

/* True if that is news. */
static __always_inline bool hold(struct orb8_socket_owner *owner, struct task_struct *task)
{
	if (owner->source == ORB8_OWNER_EXACT)
		return false;
	owned_by(owner, task);
	return true;
}

/* Of a listener that is older than the probes, or that had no port yet when it began to listen. */
static __always_inline void find_listener(struct sock *sk, struct task_struct *task)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u64 cookie = bpf_get_socket_cookie(sk);
	const struct orb8_listener *kept = bpf_map_lookup_elem(&orb8_listeners, &cookie);
	struct orb8_listener listener;

	if (!tp || (kept && kept->tuple.lport))
		return;
	name_listener(&listener, sk, tp);
	if (kept)
		listener.owner = kept->owner;
	else
		owned_by(&listener.owner, task);
	keep_listener(&listener);
}

__u8 orb8_found_once; /* 1: what is found now is younger than the probes */

/* Of a socket that no program saw opening. It may have moved something before it was found: that is
 * left out where it is older than the probes, and told where it is not.
 */
static __always_inline struct tcp_track *found_track(struct sock *sk, const struct tcp_sock *tp)
{
	struct tcp_track *track = stored_track(sk);

	if (!track || track->owner.first_ns)
		return track;
	name_socket(&track->owner, sk);
	if (orb8_found_once)
		start_from_birth(track);
	else
		start_from_here(track, tp);
	track->open_since = track->owner.first_ns;
	return track;
}

static __always_inline void find_tcp(struct sock *sk, struct task_struct *task)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u8 state = sk->__sk_common.skc_state;
	struct tcp_track *track;

	if (!tp || state == TCP_CLOSE)
		return;
	if (state == TCP_LISTEN) {
		find_listener(sk, task);
		return;
	}
	track = find_place(sk).track;
	if (!track)
		track = found_track(sk, tp);
	if (!track || !track->open_since)
		return;
	name_by_cookie(track, sk);
	if (hold(&track->owner, task))
		track->told_waiting = ~0; /* no queue is as long: the next snapshot reports it */
}

/* Runs once when the probes start, and again when there are sockets whose process is not known. */
SEC("iter/task_file")
int orb8_find_socks(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct udp_track *udp;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return 0;
	if (sk->sk_protocol == IPPROTO_TCP) {
		find_tcp(sk, task);
		return 0;
	}
	udp = bpf_sk_storage_get(&orb8_udp, sk, 0, 0);
	if (udp && hold(&udp->owner, task))
		udp->told = 0;
	return 0;
}

SEC("cgroup_skb/ingress")
int orb8_skb_in(struct __sk_buff *skb)
{
	observe_datagram(skb, false);
	return PASS;
}

SEC("cgroup_skb/egress")
int orb8_skb_out(struct __sk_buff *skb)
{
	observe_datagram(skb, true);
	return PASS;
}

SEC("cgroup/sock_release")
int orb8_release(struct bpf_sock *sk)
{
	if (sk->protocol != IPPROTO_TCP)
		udp_closes(sk);
	return PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
