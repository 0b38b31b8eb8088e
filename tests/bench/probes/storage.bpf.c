// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What an account of connections costs before it counts anything: socket-local storage for each
 * end of a connection, from its opening on, as large as orb8's own. Never part of a product binary.
 */
#include "probes/sock_tcp.h"

#include <bpf/bpf_tracing.h>

/* Cloned to what is accepted, as a listener's children are to be known from the start. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct tcp_track);
} storage SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(storage_alone, struct sock *sk, int old_state, int new_state)
{
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new_state == TCP_SYN_SENT || new_state == TCP_LISTEN ||
	    (new_state == TCP_ESTABLISHED && old_state == TCP_SYN_RECV))
		bpf_sk_storage_get(&storage, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
