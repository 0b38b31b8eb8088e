/* One event per packet, for those who asked: only while a filter is set, and only for packets that
 * a filter wants.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_EVENTS_H
#define ORB8_PROBES_EVENTS_H
#include "probes/count.h"
#include "probes/parse.h"
#include "probes/ring.h"

/* Written by user space through the map's shared memory, read here: never written by a probe. */
volatile struct orb8_control control = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024); /* sized before load */
} orb8_packets SEC(".maps");

static __always_inline bool addr_matches(const volatile struct orb8_packet_filter *f,
					 const __u8 *addr)
{
	__u64 a[2];

	__builtin_memcpy(a, addr, sizeof(a));
	return (a[0] & f->mask[0]) == f->addr[0] && (a[1] & f->mask[1]) == f->addr[1];
}

static __always_inline bool port_matches(const volatile struct orb8_packet_filter *f,
					 __be16 port_be)
{
	__u16 port = bpf_ntohs(port_be);

	return f->port_first <= port && port <= f->port_last;
}

static __always_inline bool is_icmp(__u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static __always_inline bool filter_matches(const volatile struct orb8_packet_filter *f,
					   const struct orb8_v6_key *key, __u8 family, __u8 dir)
{
	if (f->has_family && f->has_family != family)
		return false;
	if (f->has_dir && f->dir != dir)
		return false;
	if (f->has_proto && f->proto != key->proto)
		return false;
	/* ICMP keeps its type and code where others have ports: no port matches them. */
	if (f->port_sides && is_icmp(key->proto))
		return false;
	if (f->port_sides && !((f->port_sides & ORB8_SIDE_SRC && port_matches(f, key->sport_be)) ||
			       (f->port_sides & ORB8_SIDE_DST && port_matches(f, key->dport_be))))
		return false;
	return !f->addr_sides || (f->addr_sides & ORB8_SIDE_SRC && addr_matches(f, key->saddr)) ||
	       (f->addr_sides & ORB8_SIDE_DST && addr_matches(f, key->daddr));
}

struct asked {
	struct orb8_v6_key key __attribute__((aligned(8))); /* copied eight bytes at a time */
};

/* The flow that wanted() is asked about: before Linux 5.12 a global function takes nothing but the
 * context and numbers. Per CPU, and TC runs with bottom halves off: nothing writes in between.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct asked);
	__uint(max_entries, 1);
} orb8_asked SEC(".maps");

static __always_inline struct asked *asked(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&orb8_asked, &zero);
}

/* Global, so that the verifier walks the loop once. A static function it walks once for each way to
 * get here, which was nineteen twentieths of its work on a probe.
 */
__noinline int wanted(__u32 family, __u32 dir)
{
	struct asked *a = asked();

	if (!a)
		return 0;
	for (__u32 i = 0; i < ORB8_FILTER_MAX; i++) {
		if (i >= control.filter_count)
			return 0;
		if (filter_matches(&control.filters[i], &a->key, family, dir))
			return 1;
	}
	return 0;
}

static __always_inline bool is_wanted(const struct orb8_v6_key *key, __u8 family, __u8 dir)
{
	struct asked *a = asked();

	if (!a)
		return false;
	__builtin_memcpy(&a->key, key, sizeof(a->key));
	return wanted(family, dir);
}

static __always_inline __u16 saturate_u16(__u64 n)
{
	return n > 0xffff ? 0xffff : n;
}

#define ORB8_FILL_EVENT(e, skb, key, s)                                                            \
	do {                                                                                       \
		(e)->cgroup_id = sender_cgroup((skb), (s)->dir);                                   \
		(e)->timestamp_ns = bpf_ktime_get_boot_ns();                                       \
		(e)->src_port = bpf_ntohs((key)->sport_be);                                        \
		(e)->dst_port = bpf_ntohs((key)->dport_be);                                        \
		(e)->protocol = (key)->proto;                                                      \
		(e)->direction = (s)->dir;                                                         \
		(e)->packet_len = saturate_u16((s)->bytes);                                        \
	} while (0)

static __always_inline void fill_more(struct orb8_packet_more *more, const struct sighting *s)
{
	more->bytes = s->bytes;
	more->ifindex = s->hook >> 1;
	more->packets = saturate_u16(s->packets);
	more->tcp_flags = s->tcp_flags;
	__builtin_memset(more->pad, 0, sizeof(more->pad));
}

static __always_inline void count_event(bool sent)
{
	struct orb8_tallies *t = tallies();

	if (!t)
		return;
	if (sent)
		t->events_sent++;
	else
		t->events_lost++;
}

static __always_inline bool send_v4(struct __sk_buff *skb, const struct orb8_v4_key *key,
				    const struct sighting *s)
{
	__u64 wake = wake_flags(&orb8_packets, sizeof(struct orb8_packet_v4));
	struct orb8_packet_v4 *out = bpf_ringbuf_reserve(&orb8_packets, sizeof(*out), 0);

	if (!out)
		return false;
	out->event.src_ip = bpf_ntohl(key->saddr_be);
	out->event.dst_ip = bpf_ntohl(key->daddr_be);
	ORB8_FILL_EVENT(&out->event, skb, key, s);
	fill_more(&out->more, s);
	bpf_ringbuf_submit(out, wake);
	return true;
}

static __always_inline bool send_v6(struct __sk_buff *skb, const struct orb8_v6_key *key,
				    const struct sighting *s)
{
	__u64 wake = wake_flags(&orb8_packets, sizeof(struct orb8_packet_v6));
	struct orb8_packet_v6 *out = bpf_ringbuf_reserve(&orb8_packets, sizeof(*out), 0);

	if (!out)
		return false;
	__builtin_memcpy(out->event.src_ip, key->saddr, 16);
	__builtin_memcpy(out->event.dst_ip, key->daddr, 16);
	ORB8_FILL_EVENT(&out->event, skb, key, s);
	fill_more(&out->more, s);
	bpf_ringbuf_submit(out, wake);
	return true;
}
#endif
