/* Counting: what became of each packet, how much of the wire it took, and the flow it belongs to.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_COUNT_H
#define ORB8_PROBES_COUNT_H
#include "probes/parse.h"
#include "probes/ring.h"

const volatile struct orb8_constants constants = {.takeover_jiffies = 5 * 250};

/* Both are sized before load. Not preallocated: a quiet node pays for the flows that it has. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct orb8_v4_key);
	__type(value, struct orb8_flow_stats);
	__uint(max_entries, 65536);
} orb8_flows_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct orb8_v6_key);
	__type(value, struct orb8_flow_stats);
	__uint(max_entries, 65536);
} orb8_flows_v6 SEC(".maps");

/* The hooks with a probe now. An anchor that is not among them gives way at once. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u8);
	__uint(max_entries, 4096);
} orb8_hooks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} orb8_spill SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct orb8_tallies);
	__uint(max_entries, 1);
} orb8_tally SEC(".maps");

/* One packet of the stack, which may be many on the wire. */
struct sighting {
	__u64 bytes;
	__u32 packets;
	__u32 hook; /* ORB8_HOOK() */
	__u8 dir;
	__u8 tcp_flags;
};

static __always_inline struct orb8_tallies *tallies(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&orb8_tally, &zero);
}

static __always_inline void count_fate(enum orb8_fate fate, const struct sighting *s)
{
	struct orb8_tallies *t = tallies();

	if (!t)
		return;
	/* Per CPU, and TC runs with bottom halves off: nothing else adds in between. */
	t->fate[fate].packets += s->packets;
	t->fate[fate].bytes += s->bytes;
}

/* The outermost VLAN tag is on the wire and most often not in the frame: it comes beside it. */
static __always_inline __u32 tag_bytes(struct __sk_buff *skb)
{
	return skb->vlan_present ? 4 : 0;
}

/* GSO and GRO hand us many wire packets as one skb: each had its own copy of the headers. */
static __always_inline void measure(struct __sk_buff *skb, __u32 headers, struct sighting *s)
{
	__u32 segment = skb->gso_size;
	__u32 segments = skb->gso_segs;
	__u32 tag = tag_bytes(skb);

	s->bytes = skb->len + tag;
	s->packets = 1;
	if (!segment || headers >= skb->len)
		return;
	if (!segments) /* a guest's or tap's packet, whose segments nobody counted */
		segments = (skb->len - headers + segment - 1) / segment;
	s->packets = segments;
	s->bytes += (__u64)(segments - 1) * (headers + tag);
	/* On egress the stack knows the inner headers of a tunnel as well. */
	if (s->dir == ORB8_EGRESS && skb->wire_len + (__u64)segments * tag > s->bytes)
		s->bytes = skb->wire_len + (__u64)segments * tag;
}

static __always_inline void note_tcp_flags(struct orb8_flow_stats *flow, __u8 flags)
{
	/* An or is no atomic operation before Linux 5.12, and the common case writes nothing. */
	if (!(flags & ~flow->tcp_flags))
		return;
	for (int bit = 0; bit < 8; bit++)
		if (flags & (1 << bit))
			flow->flag_seen[bit] = 1;
	flow->tcp_flags |= flags;
}

/* True if this hook may count the flow: it is the anchor, or becomes it because the anchor is gone
 * or silent (the route changed).
 */
static __always_inline bool at_anchor(struct orb8_flow_stats *flow, const struct sighting *s,
				      __u64 now)
{
	__u32 anchor = flow->anchor;

	if (anchor == s->hook)
		return true;
	if (now - flow->last_jiffies < constants.takeover_jiffies &&
	    bpf_map_lookup_elem(&orb8_hooks, &anchor))
		return false;
	flow->anchor = s->hook;
	return true;
}

static __always_inline enum orb8_fate add_to(struct orb8_flow_stats *flow, const struct sighting *s,
					     __u64 now)
{
	if (!at_anchor(flow, s, now))
		return ORB8_DUPLICATE;
	__sync_fetch_and_add(&flow->packets, s->packets);
	__sync_fetch_and_add(&flow->bytes, s->bytes);
	flow->last_jiffies = now;
	note_tcp_flags(flow, s->tcp_flags);
	return ORB8_COUNTED;
}

static __always_inline __u64 sender_cgroup(struct __sk_buff *skb, __u8 dir)
{
	return dir == ORB8_EGRESS ? bpf_skb_cgroup_id(skb) : 0;
}

/* ORB8_COUNTED, ORB8_DUPLICATE, or ORB8_SPILLED: the map is full, and the caller must spill. */
static __always_inline enum orb8_fate account(struct __sk_buff *skb, void *flows, const void *key,
					      const struct sighting *s)
{
	struct orb8_flow_stats *flow = bpf_map_lookup_elem(flows, key);
	__u64 now = bpf_jiffies64();

	if (!flow) {
		struct orb8_flow_stats fresh = {
		    .packets = s->packets,
		    .bytes = s->bytes,
		    .first_ns = bpf_ktime_get_boot_ns(),
		    .last_jiffies = now,
		    .cgroup_id = sender_cgroup(skb, s->dir),
		    .anchor = s->hook,
		    .dir = s->dir,
		};

		note_tcp_flags(&fresh, s->tcp_flags);
		/* NOEXIST: if another CPU got there first, add to its entry. */
		if (!bpf_map_update_elem(flows, key, &fresh, BPF_NOEXIST))
			return ORB8_COUNTED;
		flow = bpf_map_lookup_elem(flows, key);
		if (!flow)
			return ORB8_SPILLED;
	}
	return add_to(flow, s, now);
}

static __always_inline enum orb8_fate spill(struct __sk_buff *skb, const struct orb8_v6_key *key,
					    const struct sighting *s)
{
	__u64 wake = wake_flags(&orb8_spill, sizeof(struct orb8_spilled));
	struct orb8_spilled *out = bpf_ringbuf_reserve(&orb8_spill, sizeof(*out), 0);

	if (!out)
		return ORB8_LOST;
	out->key = *key;
	out->packets = s->packets;
	out->bytes = s->bytes;
	out->timestamp_ns = bpf_ktime_get_boot_ns();
	out->cgroup_id = sender_cgroup(skb, s->dir);
	out->hook = s->hook;
	out->tcp_flags = s->tcp_flags;
	__builtin_memset(out->pad, 0, sizeof(out->pad));
	bpf_ringbuf_submit(out, wake);
	return ORB8_SPILLED;
}
#endif
