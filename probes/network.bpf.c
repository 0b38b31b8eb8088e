// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Attaches to TC or TCX, ingress and egress, of each watched interface, and only watches: every
 * packet goes on to the next program as it came.
 *
 * A packet is parsed to its flow (5-tuple; the two directions of a connection are two flows) and
 * added to that flow's counters in orb8_flows_v4 or orb8_flows_v6. A flow counts at one hook, so a
 * packet that crosses several counts once. Nothing is sent to user space, except
 * - while somebody listens, an event for each packet that a filter wants (orb8_packets);
 * - when a flow map is full, the packet's numbers (orb8_spill).
 * Lost is what finds orb8_spill full too. orb8_tally has the fate of every packet.
 */
#include "probes/clock.h"
#include "probes/count.h"
#include "probes/events.h"
#include "probes/parse.h"

#define TC_ACT_UNSPEC (-1) /* the value of TCX_NEXT */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct orb8_own_addr);
	__type(value, __u8);
	__uint(max_entries, 1024);
} orb8_own_addrs SEC(".maps");

static __always_inline bool is_own_addr(const __u8 *addr)
{
	return bpf_map_lookup_elem(&orb8_own_addrs, addr);
}

/* The agent's port at one of this machine's addresses: the same port elsewhere is not ours. */
static __always_inline bool is_own(const struct orb8_v6_key *key)
{
	__be16 port_be = control.own_port_be;

	return (key->dport_be == port_be && is_own_addr(key->daddr)) ||
	       (key->sport_be == port_be && is_own_addr(key->saddr));
}

static __always_inline bool may_be_own(__u8 proto, __be16 sport_be, __be16 dport_be)
{
	__be16 port_be = control.own_port_be;

	return port_be && proto == IPPROTO_TCP && (sport_be == port_be || dport_be == port_be);
}

static __always_inline void widen(const struct orb8_v4_key *v4, struct orb8_v6_key *v6)
{
	map_v4(v6->saddr, v4->saddr_be);
	map_v4(v6->daddr, v4->daddr_be);
	v6->sport_be = v4->sport_be;
	v6->dport_be = v4->dport_be;
	v6->proto = v4->proto;
	__builtin_memset(v6->pad, 0, sizeof(v6->pad));
}

static __always_inline enum orb8_fate observe_v4(struct cursor *c, struct sighting *s)
{
	struct orb8_v4_key key = {};
	struct orb8_v6_key wide;
	struct layer4 l4 = {};
	enum orb8_fate fate = parse_v4(c, &key, &l4);

	if (fate != ORB8_COUNTED)
		return fate;
	s->tcp_flags = l4.tcp_flags;
	measure(c->skb, l4.headers, s);
	if (may_be_own(key.proto, key.sport_be, key.dport_be)) {
		widen(&key, &wide);
		if (is_own(&wide))
			return ORB8_OWN;
	}
	fate = account(c->skb, &orb8_flows_v4, &key, s);
	if (fate == ORB8_SPILLED) {
		widen(&key, &wide);
		fate = spill(c->skb, &wide, s);
	}
	if (control.filter_count && fate != ORB8_DUPLICATE) {
		widen(&key, &wide);
		if (is_wanted(&wide, 4, s->dir))
			count_event(send_v4(c->skb, &key, s));
	}
	return fate;
}

static __always_inline enum orb8_fate observe_v6(struct cursor *c, struct sighting *s)
{
	struct orb8_v6_key key = {};
	struct layer4 l4 = {};
	enum orb8_fate fate = parse_v6(c, &key, &l4);

	if (fate != ORB8_COUNTED)
		return fate;
	s->tcp_flags = l4.tcp_flags;
	measure(c->skb, l4.headers, s);
	if (may_be_own(key.proto, key.sport_be, key.dport_be) && is_own(&key))
		return ORB8_OWN;
	fate = account(c->skb, &orb8_flows_v6, &key, s);
	if (fate == ORB8_SPILLED)
		fate = spill(c->skb, &key, s);
	if (control.filter_count && fate != ORB8_DUPLICATE && is_wanted(&key, 6, s->dir))
		count_event(send_v6(c->skb, &key, s));
	return fate;
}

static __always_inline enum orb8_fate observe_frame(struct cursor *c, bool ethernet,
						    struct sighting *s)
{
	int type_be = ethernet ? parse_ethernet(c) : (__be16)c->skb->protocol;

	switch (type_be) {
	case bpf_htons(ETH_P_IP):
		return observe_v4(c, s);
	case bpf_htons(ETH_P_IPV6):
		return observe_v6(c, s);
	case bpf_htons(ETH_P_8021Q):
	case bpf_htons(ETH_P_8021AD):
		return ORB8_UNPARSED;
	case -1:
		return ORB8_TRUNCATED;
	default:
		return ORB8_NOT_IP;
	}
}

static __always_inline int observe(struct __sk_buff *skb, enum orb8_dir dir, bool ethernet)
{
	struct cursor c = {
	    .skb = skb,
	    .data = (void *)(long)skb->data,
	    .end = (void *)(long)skb->data_end,
	};
	struct sighting s = {
	    .bytes = skb->len + tag_bytes(skb),
	    .packets = 1,
	    .hook = ORB8_HOOK(skb->ifindex, dir),
	    .dir = dir,
	};

	count_fate(observe_frame(&c, ethernet, &s), &s);
	return TC_ACT_UNSPEC; /* we watch; the next program decides */
}

SEC("tc")
int network_probe(struct __sk_buff *skb)
{
	return observe(skb, ORB8_INGRESS, true);
}

SEC("tc")
int network_probe_egress(struct __sk_buff *skb)
{
	return observe(skb, ORB8_EGRESS, true);
}

/* For devices without a link layer header: tun, WireGuard, IP tunnels. */
SEC("tc")
int network_probe_ip(struct __sk_buff *skb)
{
	return observe(skb, ORB8_INGRESS, false);
}

SEC("tc")
int network_probe_ip_egress(struct __sk_buff *skb)
{
	return observe(skb, ORB8_EGRESS, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
