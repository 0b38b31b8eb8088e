/* TCP: the kernel counts for itself, in struct tcp_sock; here is when it is read, and what had
 * moved before somebody looked.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_SOCK_TCP_H
#define ORB8_PROBES_SOCK_TCP_H
#include "probes/sock_owner.h"

#define IPV4_BYTES 20
#define IPV6_BYTES 40

/* The kernel's segment counters have 32 bits: minutes at 100 Gbit/s. */
struct segments {
	__u64 before; /* of all that came before `since` */
	__u32 since;  /* the kernel's counter then */
	__u32 told;   /* the kernel's counter when it was reported last */
};

/* A connection, or a listener, from its opening on, or from when it was found. */
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
	__u64 closed;	    /* 1: its last record was sent; the track stays as long as the socket */
};

/* Cloned to what is accepted: so a listener's children are known from the start. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct tcp_track);
} orb8_tcp SEC(".maps");

static __always_inline __u64 total_segments(struct segments *s, __u32 now)
{
	__u32 moved = now - s->since;

	if (moved > 1U << 30) {
		s->before += moved;
		s->since = now;
		return s->before;
	}
	return s->before + moved;
}

static __always_inline void start_segments(struct segments *s, __u32 now)
{
	s->before = 0;
	s->since = now;
	s->told = now - 1; /* so that the first look finds a difference */
}

/* How far the sequence numbers came that were sent. Not bytes_sent, which also counts what a queue
 * of this machine refused and TCP sent once more without calling it a retransmission.
 */
static __always_inline __u64 sequenced(const struct tcp_sock *tp)
{
	return tp->bytes_acked + (__u32)(tp->snd_nxt - tp->snd_una);
}

/* Leaves out what moved before now. */
static __always_inline void start_from_here(struct tcp_track *track, const struct tcp_sock *tp)
{
	track->sent_before = tp->bytes_sent;
	track->sequenced_before = sequenced(tp);
	track->retransmitted_before = tp->bytes_retrans;
	track->received_before = tp->bytes_received;
	track->retransmits_before = tp->total_retrans;
	start_segments(&track->out, tp->segs_out);
	start_segments(&track->in, tp->segs_in);
}

/* In full jiffies, from the low half that TCP keeps; 0: never. */
static __always_inline __u64 full_jiffies(__u32 low)
{
	__u64 now = bpf_jiffies64();

	return low ? now - ((__u32)now - low) : 0;
}

static __always_inline __u32 received_fin(const struct sock *sk)
{
	return (sk->__sk_common.skc_flags >> SOCK_DONE) & 1;
}

/* A FIN counts as a byte where sequence numbers are counted, and so does a client's SYN; a server's
 * is left out by the kernel.
 */
static __always_inline bool sent_fin(const struct tcp_sock *tp, __u8 state)
{
	switch (state) {
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_TIME_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return tp->snd_nxt == tp->write_seq; /* else it waits behind data */
	default:
		return false;
	}
}

/* `closing_from`: see fill_transfers(). */
static __always_inline __u64 payload_sent(const struct tcp_track *track, const struct sock *sk,
					  const struct tcp_sock *tp, __u8 closing_from)
{
	__u64 bytes = sequenced(tp) - track->sequenced_before;
	__u64 signs;

	/* A snapshot reads while the socket goes on. The state changes before a FIN is sent, so
	 * read it after the numbers: no FIN among them is then taken for payload.
	 */
	barrier();
	signs = track->owner.role == ORB8_ROLE_CLIENT;
	signs += sent_fin(tp, closing_from ?: *(volatile const __u8 *)&sk->__sk_common.skc_state);
	return bytes > signs ? bytes - signs : 0;
}

static __always_inline __u32 segment_headers(const struct orb8_tuple *t, const struct tcp_sock *tp)
{
	bool v4 = *(const __u64 *)t->raddr == 0 && *(const __u32 *)(t->raddr + 8) == 0xffff0000;

	return ETHERNET_BYTES + (v4 ? IPV4_BYTES : IPV6_BYTES) + tp->tcp_header_len;
}

/* `closing_from`: the state before, of a socket that closes; 0: it goes on. */
static __always_inline void fill_transfers(struct orb8_socket_record *r, struct tcp_track *track,
					   const struct sock *sk, const struct tcp_sock *tp,
					   __u8 closing_from)
{
	__u32 headers = segment_headers(&r->tuple, tp);
	__u64 sent = tp->bytes_sent - track->sent_before;
	__u64 received = tp->bytes_received - track->received_before;

	if (received)
		received -= received_fin(sk);
	r->retransmitted_bytes = tp->bytes_retrans - track->retransmitted_before;
	r->retransmits = tp->total_retrans - track->retransmits_before;
	r->sent.packets = total_segments(&track->out, tp->segs_out);
	r->sent.payload = payload_sent(track, sk, tp, closing_from);
	r->sent.bytes = sent + r->sent.packets * headers;
	r->sent.last_jiffies = full_jiffies(tp->lsndtime);
	r->received.packets = total_segments(&track->in, tp->segs_in);
	r->received.payload = received;
	r->received.bytes = received + r->received.packets * headers;
	r->received.last_jiffies = full_jiffies(tp->inet_conn.icsk_ack.lrcvtime);
}

static __always_inline void fill_health(struct orb8_socket_record *r, const struct tcp_sock *tp)
{
	r->rtt_us = tp->srtt_us >> 3;
	r->min_rtt_us = tp->rtt_min.s[0].v;
	if (r->min_rtt_us == ~0U) /* no sample yet */
		r->min_rtt_us = 0;
	r->cwnd = tp->snd_cwnd;
	r->unread_bytes = tp->rcv_nxt - tp->copied_seq;
	r->unsent_bytes = tp->write_seq - tp->snd_una;
}

static __always_inline void fill_tcp(struct orb8_socket_record *r, struct tcp_track *track,
				     const struct sock *sk, const struct tcp_sock *tp,
				     __u8 closing_from)
{
	fill_tuple(&r->tuple, sk, tp);
	r->owner = track->owner;
	fill_transfers(r, track, sk, tp, closing_from);
	fill_health(r, tp);
	r->error = 0;
	r->state = sk->__sk_common.skc_state;
	r->old_state = 0;
	r->kind = ORB8_SNAPSHOT;
	r->pad[0] = 0;
}

/* --- opening --- */

/* NULL: there is no memory for it, or no more of it for this socket (net.core.optmem_max). */
static __always_inline struct tcp_track *new_track(struct sock *sk)
{
	struct tcp_track *track = bpf_sk_storage_get(&orb8_tcp, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!track) /* another CPU may have been faster */
		track = bpf_sk_storage_get(&orb8_tcp, sk, 0, 0);
	if (!track)
		tally_sock(ORB8_SOCK_UNTRACKED, 0, 0);
	return track;
}

/* In connect(), or in sendto() with MSG_FASTOPEN. */
static __always_inline void client_opens(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct tcp_track *track = tp ? new_track(sk) : NULL;

	if (!track || (track->owner.role == ORB8_ROLE_CLIENT && !track->closed))
		return;
	name_socket(&track->owner, sk);
	owned_by_current(&track->owner);
	track->owner.role = ORB8_ROLE_CLIENT;
	start_from_here(track, tp);
	track->sequenced_before = 0; /* the numbers are chosen later */
	track->closed = 0;	     /* a socket may try once more */
}

/* In listen(). */
static __always_inline void server_listens(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct tcp_track *track = tp ? new_track(sk) : NULL;
	struct orb8_socket_record *r;
	__u64 wake;

	if (!track)
		return;
	name_socket(&track->owner, sk);
	owned_by_current(&track->owner);
	track->owner.role = ORB8_ROLE_SERVER;
	track->closed = 0;
	r = reserve_record(&wake);
	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	fill_tuple(&r->tuple, sk, tp);
	r->owner = track->owner;
	r->state = TCP_LISTEN;
	r->kind = ORB8_LISTENS;
	bpf_ringbuf_submit(r, wake);
}

/* The listener's track was cloned with the socket, and nobody has made it the socket's own yet. */
static __always_inline bool is_listeners(const struct tcp_track *track, struct sock *sk)
{
	return track->owner.first_ns && track->owner.cookie != bpf_get_socket_cookie(sk);
}

static __always_inline void start_child(struct tcp_track *track, struct sock *sk)
{
	name_socket(&track->owner, sk);
	track->owner.role = ORB8_ROLE_SERVER;
	track->owner.source = track->owner.pid ? ORB8_OWNER_LISTENER : ORB8_OWNER_UNKNOWN;
	track->sent_before = track->sequenced_before = 0;
	track->retransmitted_before = track->received_before = 0;
	track->retransmits_before = 0;
	start_segments(&track->out, 0);
	start_segments(&track->in, 0);
}

/* In a softirq: nobody has accepted it yet. */
static __always_inline void server_opens(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct tcp_track *track = tp ? new_track(sk) : NULL;

	if (!track || track->owner.role == ORB8_ROLE_CLIENT) /* both sides called: RFC 9293, 3.5 */
		return;
	if (track->owner.cookie == bpf_get_socket_cookie(sk)) /* the second program's turn */
		return;
	start_child(track, sk);
}

/* --- closing --- */

static __always_inline void fill_closed(struct orb8_socket_record *r, struct tcp_track *track,
					const struct sock *sk, const struct tcp_sock *tp,
					__u8 old_state)
{
	fill_tcp(r, track, sk, tp, old_state);
	r->error = sk->sk_err;
	r->state = TCP_CLOSE;
	r->old_state = old_state;
	r->kind = ORB8_CLOSED;
}

/* Of a socket that closed while no program ran. What it was before is a guess: in a connection that
 * was never answered, the SYN is not acknowledged.
 */
static __always_inline void fill_unseen_end(struct orb8_socket_record *r, struct tcp_track *track,
					    const struct sock *sk, const struct tcp_sock *tp)
{
	bool answered = track->owner.role != ORB8_ROLE_CLIENT || tp->bytes_acked;

	fill_closed(r, track, sk, tp, answered ? TCP_ESTABLISHED : TCP_SYN_SENT);
	track->closed = 1;
}

static __always_inline void close_track(struct sock *sk, const struct tcp_sock *tp,
					struct tcp_track *track, int old_state)
{
	__u64 wake;
	struct orb8_socket_record *r = reserve_record(&wake);

	if (!r) {
		tally_sock(ORB8_SOCK_CLOSES_LOST,
			   total_segments(&track->out, tp->segs_out) +
			       total_segments(&track->in, tp->segs_in),
			   tp->bytes_sent - track->sent_before + tp->bytes_received -
			       track->received_before);
		track->closed = 1;
		return;
	}
	fill_closed(r, track, sk, tp, old_state);
	/* First: what a snapshot still reports would come back to life behind its last record. */
	track->closed = 1;
	bpf_ringbuf_submit(r, wake);
	tally_sock(ORB8_SOCK_CLOSES, 0, 0);
}

static __always_inline void closes(struct sock *sk, int old_state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct tcp_track *track;

	if (!tp)
		return;
	if (old_state == TCP_SYN_RECV)
		server_opens(sk);
	/* Created where it was not known: it waited to be accepted, or belongs to the kernel. All
	 * that it moved is told now, for the first time.
	 */
	track = new_track(sk);
	if (!track)
		tally_sock(ORB8_SOCK_CLOSES_LOST, (__u64)tp->segs_out + tp->segs_in,
			   tp->bytes_sent + tp->bytes_received);
	if (!track || track->closed)
		return;
	if (!track->owner.first_ns) /* just created */
		name_socket(&track->owner, sk);
	else if (is_listeners(track, sk)) /* it was established unseen */
		start_child(track, sk);
	close_track(sk, tp, track, old_state);
}
#endif
