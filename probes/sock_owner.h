/* Whose a socket is, what its ends are, and how its records reach user space.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_SOCK_OWNER_H
#define ORB8_PROBES_SOCK_OWNER_H
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "common/socket.h"
#include "probes/addr.h"
#include "probes/kernel_types.h"
#include "probes/ring.h"

/* Sized before load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} orb8_sock_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct orb8_sock_tallies);
	__uint(max_entries, 1);
} orb8_sock_tally SEC(".maps");

static __always_inline void tally_sock(enum orb8_sock_fate fate, __u64 packets, __u64 bytes)
{
	__u32 zero = 0;
	struct orb8_sock_tallies *t = bpf_map_lookup_elem(&orb8_sock_tally, &zero);

	if (!t)
		return;
	/* Atomic: what runs in a process may be interrupted by what runs in a softirq. */
	__sync_fetch_and_add(&t->fate[fate].times, 1);
	if (packets)
		__sync_fetch_and_add(&t->fate[fate].packets, packets);
	if (bytes)
		__sync_fetch_and_add(&t->fate[fate].bytes, bytes);
}

/* `wake` is for bpf_ringbuf_submit(). */
static __always_inline struct orb8_socket_record *reserve_record(__u64 *wake)
{
	*wake = wake_flags(&orb8_sock_ring, sizeof(struct orb8_socket_record));
	return bpf_ringbuf_reserve(&orb8_sock_ring, sizeof(struct orb8_socket_record), 0);
}

#ifndef NULL
#define NULL ((void *)0)
#endif

/* What wire bytes count of the link, whatever a packet goes over. */
#define ETHERNET_BYTES 14

static __always_inline void copy_v6(__u8 *addr, const struct ip6_bytes *v6)
{
	const __u32 *from = (const void *)v6;
	__u32 *to = (void *)addr;

	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

/* Here and in sock_tcp.h, `sk` and `tp` are pointers that the verifier knows, of a tracing program:
 * they are followed by plain loads, which cost a tenth of bpf_probe_read_kernel().
 */
static __always_inline void fill_tuple(struct orb8_tuple *t, const struct sock *sk,
				       const struct tcp_sock *tp)
{
	const struct sock_common *c = &sk->__sk_common;

	if (c->skc_family == AF_INET6) {
		copy_v6(t->laddr, &c->skc_v6_rcv_saddr);
		copy_v6(t->raddr, &c->skc_v6_daddr);
	} else {
		map_v4(t->laddr, c->skc_rcv_saddr);
		map_v4(t->raddr, c->skc_daddr);
	}
	t->lport = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
	t->rport = bpf_ntohs(c->skc_dport);
	t->proto = IPPROTO_TCP;
	__builtin_memset(t->pad, 0, sizeof(t->pad));
}

/* 0 where the kernel does not say. */
static __always_inline __u64 cgroup_of(const struct sock *sk)
{
	const struct sock_cgroup_data___before_5_15 *old;
	__u64 val;

	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return sk->sk_cgrp_data.cgroup->kn->id;
	old = (const void *)&sk->sk_cgrp_data;
	val = BPF_CORE_READ(old, val);
	if (val & 1)
		return 0;
	return BPF_CORE_READ((const struct cgroup *)val, kn, id);
}

/* What a socket has from its birth but for its cookie; who owns it comes on top. */
static __always_inline void name_child(struct orb8_socket_owner *owner, const struct sock *sk)
{
	owner->first_ns = bpf_ktime_get_boot_ns();
	owner->cgroup_id = cgroup_of(sk);
	owner->netns = sk->__sk_common.skc_net.net->ns.inum;
}

static __always_inline void name_socket(struct orb8_socket_owner *owner, struct sock *sk)
{
	name_child(owner, sk);
	owner->cookie = bpf_get_socket_cookie(sk); /* for tracing programs since Linux 5.12 */
}

/* The process's name, not the thread's: as /proc/<pid>/comm. */
static __always_inline void owned_by(struct orb8_socket_owner *owner,
				     const struct task_struct *task)
{
	owner->pid = BPF_CORE_READ(task, tgid);
	owner->source = ORB8_OWNER_EXACT;
	BPF_CORE_READ_STR_INTO(&owner->comm, task, group_leader, comm);
}

/* In the process that opens it. */
static __always_inline void owned_by_current(struct orb8_socket_owner *owner)
{
	owned_by(owner, (const struct task_struct *)bpf_get_current_task());
}
#endif
