// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flows from sockets. Nothing runs for a packet of TCP: what moved is read from the kernel's own
 * counters, when user space takes a snapshot and when a connection ends.
 *
 * - orb8_sock_state (tp_btf/inet_sock_set_state): a TCP socket that connects, listens or is
 *   established gets a track in its socket-local storage (orb8_tcp); one that closes sends its last
 *   record to orb8_sock_ring. orb8_sock_again, at the same tracepoint, does so where the first was
 *   left out.
 * - orb8_snap_tcp, orb8_snap_udp (iterators over the storage): a record for each socket that moved
 *   since the last time, of all network namespaces.
 * - orb8_find_socks (iter/task_file): sockets older than the probes, and who holds them.
 * - orb8_skb_in, orb8_skb_out (cgroup_skb): UDP, ICMP and all else but TCP, packet by packet, in
 *   the storage (orb8_udp) and, beyond a socket's first peer, in orb8_peers. orb8_release
 *   (cgroup/sock_release) sends such a socket's last record.
 *
 * Lost is what finds the ring full: the last record of a socket, or a packet that found orb8_peers
 * full too. orb8_sock_tally counts both, with packets and bytes.
 */
#include "probes/clock.h"
#include "probes/sock_tcp.h"
#include "probes/sock_udp.h"

#include <bpf/bpf_tracing.h>

#define PASS 1

/* Which change of state this CPU has taken in last. */
struct last_change {
	__u64 sk; /* 0: one is being taken in */
	__u64 state;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct last_change);
	__uint(max_entries, 1);
} orb8_last_state SEC(".maps");

static __always_inline struct last_change *last_change(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&orb8_last_state, &zero);
}

/* The other changes tell nothing that the counters do not. */
static __always_inline bool matters(const struct sock *sk, int old_state, int new_state)
{
	if (sk->sk_protocol != IPPROTO_TCP)
		return false;
	return new_state == TCP_SYN_SENT || new_state == TCP_LISTEN || new_state == TCP_CLOSE ||
	       (new_state == TCP_ESTABLISHED && old_state == TCP_SYN_RECV);
}

static __always_inline void take_change(struct sock *sk, int old_state, int new_state)
{
	switch (new_state) {
	case TCP_SYN_SENT:
		client_opens(sk);
		break;
	case TCP_LISTEN:
		server_listens(sk);
		break;
	case TCP_ESTABLISHED:
		server_opens(sk);
		break;
	case TCP_CLOSE:
		closes(sk, old_state);
		break;
	}
}

static __always_inline int on_state(struct sock *sk, int old_state, int new_state, bool first)
{
	struct last_change *last;

	if (!matters(sk, old_state, new_state))
		return 0;
	last = last_change();
	if (!last)
		return 0;
	if (!first && last->sk == (__u64)sk && last->state == (__u64)new_state)
		return 0;
	last->sk = 0;
	barrier();
	take_change(sk, old_state, new_state);
	barrier();
	last->state = new_state;
	last->sk = (__u64)sk;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(orb8_sock_state, struct sock *sk, int old_state, int new_state)
{
	return on_state(sk, old_state, new_state, true);
}

/* A kernel does not run a program inside itself: what a softirq brings while the first one is at
 * work for a process, on the same CPU, is left out there and comes here. Once more what was taken
 * in does no harm, and happens where something comes between the two.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(orb8_sock_again, struct sock *sk, int old_state, int new_state)
{
	return on_state(sk, old_state, new_state, false);
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

static __always_inline struct orb8_socket_record *next_snapshot_record(void)
{
	__u32 at = orb8_snap_count;
	struct orb8_socket_record *r = bpf_map_lookup_elem(&orb8_snap_out, &at);

	if (r)
		orb8_snap_count = at + 1;
	return r;
}

SEC("iter/bpf_sk_storage_map")
int orb8_snap_tcp(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct tcp_track *track = ctx->value;
	struct orb8_socket_record *r;
	struct sock *sk = ctx->sk;
	struct tcp_sock *tp;
	bool unseen;
	__u32 waiting;
	__u8 state;

	if (!sk || !track)
		return 0;
	state = sk->__sk_common.skc_state;
	/* A child in SYN_RECV has its listener's track until it is established. */
	if (state == TCP_LISTEN || state == TCP_SYN_RECV)
		return 0;
	barrier(); /* in this order: it may close just now */
	if (track->closed)
		return 0;
	if (track->told_in == orb8_snap_id)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	if (is_listeners(track, sk)) /* it was established unseen */
		start_child(track, sk);
	waiting = tp->rcv_nxt - tp->copied_seq + (tp->write_seq - tp->snd_una);
	/* A track is marked before the state changes: this one closed unseen, or is about to open.
	 */
	unseen = state == TCP_CLOSE;
	if (unseen && tp->segs_out == track->out.since)
		return 0;
	if (!unseen && !orb8_snap_all && tp->segs_in == track->in.told &&
	    tp->segs_out == track->out.told && waiting == track->told_waiting)
		return 0;
	r = next_snapshot_record();
	if (!r)
		return COME_BACK;
	track->in.told = tp->segs_in;
	track->out.told = tp->segs_out;
	track->told_waiting = waiting;
	track->told_in = orb8_snap_id;
	if (unseen)
		fill_unseen_end(r, track, sk, tp);
	else
		fill_tcp(r, track, sk, tp, 0);
	return 0;
}

/* What listens when the probes start; later ones tell it themselves. */
SEC("iter/bpf_sk_storage_map")
int orb8_snap_listen(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct tcp_track *track = ctx->value;
	struct orb8_socket_record r = {.kind = ORB8_LISTENS, .state = TCP_LISTEN};
	struct sock *sk = ctx->sk;
	struct tcp_sock *tp;

	if (!sk || !track || track->closed || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	fill_tuple(&r.tuple, sk, tp);
	r.owner = track->owner;
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

static __always_inline void find_tcp(struct sock *sk, struct task_struct *task)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u8 state = sk->__sk_common.skc_state;
	struct tcp_track *track;

	if (!tp || state == TCP_CLOSE)
		return;
	track = new_track(sk);
	if (!track || track->closed)
		return;
	if (!track->owner.first_ns) {
		name_socket(&track->owner, sk);
		start_from_here(track, tp);
	}
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
