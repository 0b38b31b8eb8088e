/* TCP: the kernel counts for itself, in struct tcp_sock; here is when it is read, and what had
 * moved before somebody looked.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_SOCK_TCP_H
#define ORB8_PROBES_SOCK_TCP_H
#include "probes/sock_listen.h"
#include "probes/tcp_track.h"

#define IPV4_BYTES 20
#define IPV6_BYTES 40

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

static __always_inline void start_from_birth(struct tcp_track *track)
{
	start_segments(&track->out, 0);
	start_segments(&track->in, 0);
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
	__u64 signs, most;

	/* A snapshot reads while the socket goes on. The state changes before a FIN is sent, so
	 * read it after the numbers: no FIN among them is then taken for payload.
	 */
	barrier();
	signs = track->owner.role == ORB8_ROLE_CLIENT;
	signs += sent_fin(tp, closing_from ?: *(volatile const __u8 *)&sk->__sk_common.skc_state);
	bytes = bytes > signs ? bytes - signs : 0;
	most = tp->bytes_sent - track->sent_before;
	return bytes < most ? bytes : most; /* without the SYN of a client that nobody saw call */
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

/* Bytes between two sequence numbers, of which a copy of the socket may have one too late. */
static __always_inline __u32 bytes_between(__u32 from, __u32 to)
{
	__s32 bytes = to - from;

	return bytes > 0 ? bytes : 0;
}

static __always_inline void fill_health(struct orb8_socket_record *r, const struct tcp_sock *tp)
{
	r->rtt_us = tp->srtt_us >> 3;
	r->min_rtt_us = tp->rtt_min.s[0].v;
	if (r->min_rtt_us == ~0U) /* no sample yet */
		r->min_rtt_us = 0;
	r->cwnd = tp->snd_cwnd;
	r->unread_bytes = bytes_between(tp->copied_seq, tp->rcv_nxt);
	r->unsent_bytes = bytes_between(tp->snd_una, tp->write_seq);
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

/* A socket's track, and its slot where it has one. */
struct tcp_place {
	struct tcp_track *track; /* NULL: there is none */
	struct tcp_slot *slot;
	__u64 address; /* of the socket */
};

/* A slot may still be that of a socket that ended unseen, and whose memory is used again. */
static __always_inline bool is_anothers(const struct tcp_slot *slot, const struct sock *sk)
{
	__u64 cookie = slot->track.owner.cookie;

	return cookie && cookie != (__u64)sk->__sk_common.skc_cookie.counter;
}

static __always_inline struct tcp_place find_place(struct sock *sk)
{
	struct tcp_place at = {.address = address_of(sk)};

	at.slot = slot_of(at.address);
	if (at.slot && is_anothers(at.slot, sk))
		at.slot = NULL;
	at.track = at.slot ? &at.slot->track : bpf_sk_storage_get(&orb8_tcp, sk, 0, 0);
	return at;
}

/* For a connection that begins. The slot is set when its track is filled. */
static __always_inline struct tcp_place new_place(struct sock *sk)
{
	struct tcp_place at = {.address = address_of(sk)};

	at.slot = slot_of(at.address);
	/* There is one already where the socket calls once more, or where the one that had its
	 * memory before ended unseen.
	 */
	if (at.slot && take_slot(at.slot, at.address)) {
		if (at.slot->track.open_since)
			tally_sock(ORB8_SOCK_CLOSES_LOST, 0, 0);
	} else {
		at.slot = free_slot(at.address);
	}
	at.track = at.slot ? &at.slot->track : stored_track(sk);
	if (at.track)
		__builtin_memset(at.track, 0, sizeof(*at.track));
	return at;
}

/* From here on it can be told. */
static __always_inline void open_place(const struct tcp_place *at)
{
	at->track->open_since = at->track->owner.first_ns;
	if (at->slot)
		set_slot(at->slot, at->address);
}

static __always_inline void leave_place(const struct tcp_place *at)
{
	if (at->slot)
		__sync_val_compare_and_swap(&at->slot->sk, at->address, SLOT_FREE);
}

/* In connect(), or in sendto() with MSG_FASTOPEN. */
static __always_inline void client_opens(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct tcp_track *earlier;
	struct tcp_place at;

	if (!tp)
		return;
	at = new_place(sk);
	if (!at.track)
		return;
	name_socket(&at.track->owner, sk);
	owned_by_current(&at.track->owner);
	at.track->owner.role = ORB8_ROLE_CLIENT;
	start_from_here(at.track, tp);
	at.track->sequenced_before = 0; /* the numbers are chosen later */
	earlier = at.slot ? bpf_sk_storage_get(&orb8_tcp, sk, 0, 0) : NULL;
	if (earlier) /* of a connection that the socket had before */
		earlier->open_since = 0;
	open_place(&at);
}

/* In a softirq, while the kernel copies the listener to make its child: nobody has accepted it yet,
 * and before Linux 6.15 its cookie will be overwritten.
 */
static __always_inline void server_opens(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	const struct orb8_listener *listener;
	struct tcp_place at;

	if (!tp)
		return;
	at = new_place(sk);
	if (!at.track)
		return;
	name_child(&at.track->owner, sk);
	at.track->owner.role = ORB8_ROLE_SERVER;
	listener = listener_of(tp);
	if (listener)
		owned_by_listener(&at.track->owner, listener);
	start_from_birth(at.track);
	at.track->out.before = 1; /* the answer to the SYN was sent before there was a socket */
	open_place(&at);
}

static __always_inline void name_by_cookie(struct tcp_track *track, struct sock *sk)
{
	if (!track->owner.cookie)
		track->owner.cookie = bpf_get_socket_cookie(sk);
}

static __always_inline void child_is_made(struct sock *sk)
{
	struct tcp_place at = find_place(sk);

	if (at.track)
		name_by_cookie(at.track, sk);
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
static __always_inline __u8 unseen_old_state(const struct tcp_track *track,
					     const struct tcp_sock *tp)
{
	bool answered = track->owner.role != ORB8_ROLE_CLIENT || tp->bytes_acked;

	return answered ? TCP_ESTABLISHED : TCP_SYN_SENT;
}

static __always_inline void tell_end(struct sock *sk, const struct tcp_sock *tp,
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
		return;
	}
	fill_closed(r, track, sk, tp, old_state);
	bpf_ringbuf_submit(r, wake);
	tally_sock(ORB8_SOCK_CLOSES, 0, 0);
}

/* A slot stays until the socket is given up: until then it could be found in its process's files.
 */
static __always_inline void closes(struct sock *sk, int old_state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct tcp_track *track;

	if (!tp)
		return;
	track = find_place(sk).track;
	/* Made where it was not known: it waited to be accepted when the probes started, or belongs
	 * to the kernel. All that it moved is told now, for the first time.
	 */
	if (!track)
		track = stored_track(sk);
	if (!track) {
		tally_sock(ORB8_SOCK_CLOSES_LOST, (__u64)tp->segs_out + tp->segs_in,
			   tp->bytes_sent + tp->bytes_received);
		return;
	}
	if (!track->open_since) { /* just made, or of a connection that the socket had before */
		__builtin_memset(track, 0, sizeof(*track));
		name_socket(&track->owner, sk);
		start_from_birth(track);
		track->open_since = track->owner.first_ns;
	}
	name_by_cookie(track, sk);
	/* First: what a snapshot still reports would come back to life behind its last record. */
	if (take_end(track, track->open_since))
		tell_end(sk, tp, track, old_state);
}

/* Of a socket whose connection ended unseen: tcp_disconnect() has set its counters to 0 since. */
static __always_inline bool is_wiped(const struct sock *sk)
{
	return sk->__sk_common.skc_dport == 0;
}

/* It had a connection, maybe, and will be in orb8_listeners. */
static __always_inline void is_no_connection(struct sock *sk)
{
	struct tcp_place at = find_place(sk);

	leave_place(&at);
}

/* The kernel gives the socket up. Its end was told, unless the change of state met no program. */
static __always_inline void is_destroyed(struct sock *sk)
{
	struct tcp_place at = find_place(sk);
	struct tcp_sock *tp;

	if (!at.track) {
		stops_listening(sk);
		return;
	}
	if (at.track->open_since) {
		name_by_cookie(at.track, sk);
		tp = bpf_skc_to_tcp_sock(sk);
		if (tp && take_end(at.track, at.track->open_since)) {
			if (is_wiped(sk))
				tally_sock(ORB8_SOCK_CLOSES_LOST, 0, 0);
			else
				tell_end(sk, tp, at.track, unseen_old_state(at.track, tp));
		}
	}
	leave_place(&at);
}
#endif
