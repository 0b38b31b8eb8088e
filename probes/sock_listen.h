/* What listens: told when it begins and when it ends, and kept for as long, so that what is
 * accepted is known by it from the start.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_SOCK_LISTEN_H
#define ORB8_PROBES_SOCK_LISTEN_H
#include "probes/sock_owner.h"

struct orb8_listener {
	struct orb8_tuple tuple;
	struct orb8_socket_owner owner;
};

/* By cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct orb8_listener);
	__uint(max_entries, 65536);
} orb8_listeners SEC(".maps");

static __always_inline void fill_listener(struct orb8_socket_record *r,
					  const struct orb8_listener *listener, __u8 kind)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->tuple = listener->tuple;
	r->owner = listener->owner;
	r->kind = kind;
	r->state = kind == ORB8_LISTENS ? TCP_LISTEN : TCP_CLOSE;
	r->old_state = kind == ORB8_LISTENS ? 0 : TCP_LISTEN;
}

/* One that finds the ring full is not lost: user space then reads orb8_listeners anew. */
static __always_inline void tell_listener(const struct orb8_listener *listener, __u8 kind)
{
	__u64 wake;
	struct orb8_socket_record *r = reserve_record(&wake);

	if (!r) {
		tally_sock(ORB8_SOCK_LISTENERS_UNTOLD, 0, 0);
		return;
	}
	fill_listener(r, listener, kind);
	bpf_ringbuf_submit(r, wake);
}

static __always_inline void name_listener(struct orb8_listener *listener, struct sock *sk,
					  const struct tcp_sock *tp)
{
	__builtin_memset(listener, 0, sizeof(*listener));
	fill_tuple(&listener->tuple, sk, tp);
	name_socket(&listener->owner, sk);
	listener->owner.role = ORB8_ROLE_SERVER;
}

static __always_inline void keep_listener(const struct orb8_listener *listener)
{
	if (bpf_map_update_elem(&orb8_listeners, &listener->owner.cookie, listener, BPF_ANY) != 0)
		tally_sock(ORB8_SOCK_UNTRACKED, 0, 0);
}

/* In listen(). */
static __always_inline void server_listens(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct orb8_listener listener;

	if (!tp)
		return;
	name_listener(&listener, sk, tp);
	owned_by_current(&listener.owner);
	keep_listener(&listener);
	tell_listener(&listener, ORB8_LISTENS);
}

static __always_inline void stops_listening(struct sock *sk)
{
	__u64 cookie = bpf_get_socket_cookie(sk);
	const struct orb8_listener *kept = bpf_map_lookup_elem(&orb8_listeners, &cookie);
	struct orb8_listener listener;

	if (!kept)
		return;
	listener = *kept;
	/* First: who reads all listeners after the record must not find it. */
	bpf_map_delete_elem(&orb8_listeners, &cookie);
	tell_listener(&listener, ORB8_CLOSED);
}

/* Of a child that is being made: the kernel copies the listener, sets the state, and fills in what
 * is the child's own. A list that is empty in the listener has its ends there until then. NULL:
 * nobody was there when it began to listen.
 */
static __always_inline const struct orb8_listener *listener_of(const struct tcp_sock *child)
{
	const struct tcp_sock *parent;
	__u64 cookie;

	if (!bpf_core_field_exists(child->tsq_node))
		return NULL;
	parent = (const void *)((const char *)BPF_CORE_READ(child, tsq_node.next) -
				bpf_core_field_offset(struct tcp_sock, tsq_node));
	cookie = BPF_CORE_READ((const struct sock *)parent, __sk_common.skc_cookie.counter);
	return bpf_map_lookup_elem(&orb8_listeners, &cookie);
}

/* Another process may accept it. */
static __always_inline void owned_by_listener(struct orb8_socket_owner *owner,
					      const struct orb8_listener *listener)
{
	owner->pid = listener->owner.pid;
	owner->source = owner->pid ? ORB8_OWNER_LISTENER : ORB8_OWNER_UNKNOWN;
	__builtin_memcpy(owner->comm, listener->owner.comm, sizeof(owner->comm));
}
#endif
