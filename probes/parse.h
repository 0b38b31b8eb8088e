/* From packet bytes to a flow key. Every byte is read through take(): one bounds check to get
 * right, and one place that also reads what is not in the linear area.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_PARSE_H
#define ORB8_PROBES_PARSE_H
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "common/network.h"
#include "probes/addr.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff
#define IP6_FRAGMENT_OFFSET 0xfff8
#define IP6_MORE_FRAGMENTS 0x0001
/* 802.1ad plus 802.1Q is two; the outermost is most often out of band, in the skb. */
#define VLAN_DEPTH 3
/* RFC 8200 names six extension headers, each once (destination options twice). */
#define IP6_EXTENSION_DEPTH 7

#ifndef IPPROTO_MH
#define IPPROTO_MH 135
#endif
/* <linux/in6.h> does not compile beside <linux/in.h> for this target. */
#define IP6_HOP_BY_HOP 0
#define IP6_ROUTING 43
#define IP6_FRAGMENT 44
#define IP6_DESTINATION 60
#define IP6_HIP 139
#define IP6_SHIM6 140

/* The packet's linear area, and a place in the packet. */
struct cursor {
	struct __sk_buff *skb;
	void *data;
	void *end;
	__u32 off; /* from data */
};

/* What the layer 4 header says beside the ports. */
struct layer4 {
	__u32 headers; /* length of all headers: from the packet's start to the payload */
	__u8 tcp_flags;
};

struct vlan_tag {
	__be16 tci_be;
	__be16 encapsulated_be;
};

struct ipv6_fragment { /* RFC 8200, 4.5; every extension is at least as long as this */
	__u8 next;
	__u8 length; /* reserved in this one, the length in all others */
	__be16 offset_be;
	__be32 id_be;
};

#define TCP_START_BYTES 14 /* not sizeof: the compiler pads it to 16 */

struct tcp_start { /* RFC 9293, 3.1: up to the flags */
	__be16 sport_be;
	__be16 dport_be;
	__be32 seq_be;
	__be32 ack_be;
	__u8 data_offset; /* in the high nibble, 32-bit words */
	__u8 flags;
};

struct ports {
	__be16 sport_be;
	__be16 dport_be;
};

/* What the first fragment of a datagram tells of the others. */
struct first_fragment {
	struct ports ports;
	__u8 proto; /* behind the extension headers that only the first has */
	__u8 pad[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct orb8_fragment);
	__type(value, struct first_fragment);
	__uint(max_entries, 4096);
} orb8_fragments SEC(".maps");

/* The next len bytes: in place, or copied to scratch where they are not in the linear area. */
static __always_inline void *take(struct cursor *c, void *scratch, __u32 len)
{
	void *at = c->data + c->off;

	if (at + len > c->end) {
		if (bpf_skb_load_bytes(c->skb, c->off, scratch, len))
			return NULL;
		at = scratch;
	}
	c->off += len;
	return at;
}

static __always_inline enum orb8_fate parse_tcp(struct cursor *c, struct ports *ports,
						struct layer4 *l4)
{
	struct tcp_start scratch;
	__u32 start = c->off;
	struct tcp_start *tcp = take(c, &scratch, TCP_START_BYTES);

	if (!tcp)
		return ORB8_TRUNCATED;
	ports->sport_be = tcp->sport_be;
	ports->dport_be = tcp->dport_be;
	l4->tcp_flags = tcp->flags;
	l4->headers = start + (tcp->data_offset >> 4) * 4;
	return ORB8_COUNTED;
}

static __always_inline enum orb8_fate parse_layer4(struct cursor *c, __u8 proto,
						   struct ports *ports, struct layer4 *l4)
{
	struct ports scratch;
	struct ports *found;
	__u8 *icmp;

	l4->headers = c->off;
	/* UDP is told first: it is nearly all that the socket probes read, a tenth faster so. */
	switch (__builtin_expect(proto, IPPROTO_UDP)) {
	case IPPROTO_TCP:
		return parse_tcp(c, ports, l4);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
	case IPPROTO_SCTP:
		found = take(c, &scratch, sizeof(scratch));
		if (!found)
			return ORB8_TRUNCATED;
		*ports = *found;
		l4->headers += proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ? 8 : 12;
		return ORB8_COUNTED;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		icmp = take(c, &scratch, 2);
		if (!icmp)
			return ORB8_TRUNCATED;
		ports->sport_be = bpf_htons(icmp[0]);
		ports->dport_be = bpf_htons(icmp[1]);
		return ORB8_COUNTED;
	default:
		return ORB8_COUNTED;
	}
}

/* The first fragment has the ports and leaves them for the others; without it they stay 0. */
static __always_inline enum orb8_fate parse_fragment(struct cursor *c, struct orb8_fragment *frag,
						     bool first, __u8 *proto, struct ports *ports,
						     struct layer4 *l4)
{
	struct first_fragment *known, seen = {};
	enum orb8_fate fate;

	l4->headers = c->off;
	if (first) {
		fate = parse_layer4(c, *proto, ports, l4);
		seen.ports = *ports;
		seen.proto = *proto;
		if (fate == ORB8_COUNTED)
			bpf_map_update_elem(&orb8_fragments, frag, &seen, BPF_ANY);
		return fate;
	}
	known = bpf_map_lookup_elem(&orb8_fragments, frag);
	if (known) {
		*ports = known->ports;
		*proto = known->proto;
	}
	return ORB8_COUNTED;
}

static __always_inline enum orb8_fate parse_v4(struct cursor *c, struct orb8_v4_key *key,
					       struct layer4 *l4)
{
	struct iphdr scratch;
	__u32 start = c->off;
	struct iphdr *ip = take(c, &scratch, sizeof(scratch));
	struct orb8_fragment frag = {};
	struct ports ports = {};
	enum orb8_fate fate;
	__u16 offset;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return ORB8_TRUNCATED;
	key->saddr_be = ip->saddr;
	key->daddr_be = ip->daddr;
	key->proto = ip->protocol;
	/* Skip options by adding to the start: subtracting loses the verifier's bound of 60. */
	c->off = start + ip->ihl * 4;
	if (c->off > c->skb->len)
		return ORB8_TRUNCATED;

	offset = bpf_ntohs(ip->frag_off) & (IP_FRAGMENT_OFFSET | IP_MORE_FRAGMENTS);
	if (offset == 0) {
		fate = parse_layer4(c, key->proto, &ports, l4);
	} else {
		map_v4(frag.saddr, ip->saddr);
		map_v4(frag.daddr, ip->daddr);
		frag.id_be = ip->id;
		frag.proto = ip->protocol;
		fate =
		    parse_fragment(c, &frag, offset == IP_MORE_FRAGMENTS, &key->proto, &ports, l4);
	}
	key->sport_be = ports.sport_be;
	key->dport_be = ports.dport_be;
	return fate;
}

static __always_inline bool is_extension(__u32 proto)
{
	switch (proto) {
	case IP6_HOP_BY_HOP:
	case IP6_ROUTING:
	case IP6_FRAGMENT:
	case IP6_DESTINATION:
	case IPPROTO_AH:
	case IPPROTO_MH:
	case IP6_HIP:
	case IP6_SHIM6:
		return true;
	default:
		return false;
	}
}

static __always_inline __u32 extension_bytes(__u32 proto, __u8 length)
{
	if (proto == IP6_FRAGMENT)
		return 8;
	if (proto == IPPROTO_AH)
		return (length + 2) * 4; /* RFC 4302, 2.2: the odd one, in 32-bit words */
	return (length + 1) * 8;
}

/* Where a chain of extension headers leads, packed, as a global function returns a scalar only. */
#define CHAIN(off, proto, fragment_off, fate)                                                      \
	((__u64)(off) | (__u64)(proto) << 16 | (__u64)(fate) << 24 | (__u64)(fragment_off) << 32)
/* Seven headers of 2 KiB at most, and the bound that lets the verifier follow a packet pointer. */
#define CHAIN_OFF(chain) ((__u32)(chain) & 0x3fff)
#define CHAIN_PROTO(chain) ((__u32)((chain) >> 16) & 0xff)
#define CHAIN_FATE(chain) ((__u32)((chain) >> 24) & 0xff)
#define CHAIN_FRAGMENT(chain) ((__u32)((chain) >> 32) & 0xffff) /* 0: no fragment header */

/* Global, so that the verifier looks at the loop once and not once for each way to get here; few
 * packets come here. Stops behind the header of a later fragment, where payload begins.
 */
__noinline __u64 skip_extensions(struct __sk_buff *skb, __u32 off, __u32 proto)
{
	struct ipv6_fragment head; /* the longest that is read of any extension */
	__u32 fragment_off = 0;

	for (int i = 0; i < IP6_EXTENSION_DEPTH; i++) {
		if (!is_extension(proto))
			return CHAIN(off, proto, fragment_off, ORB8_COUNTED);
		off &= 0xffff;
		if (bpf_skb_load_bytes(skb, off, &head, sizeof(head)))
			return CHAIN(off, proto, fragment_off, ORB8_TRUNCATED);
		if (proto == IP6_FRAGMENT) {
			fragment_off = off;
			if (head.offset_be & bpf_htons(IP6_FRAGMENT_OFFSET))
				return CHAIN(off + 8, head.next, fragment_off, ORB8_COUNTED);
		}
		off += extension_bytes(proto, head.length);
		proto = head.next;
	}
	return CHAIN(off & 0xffff, proto, fragment_off,
		     is_extension(proto) ? ORB8_UNPARSED : ORB8_COUNTED);
}

static __always_inline enum orb8_fate parse_v6_fragment(struct cursor *c, __u32 fragment_off,
							struct orb8_v6_key *key,
							struct ports *ports, struct layer4 *l4)
{
	struct orb8_fragment frag = {};
	struct ipv6_fragment head;
	bool first;

	if (bpf_skb_load_bytes(c->skb, fragment_off, &head, sizeof(head)))
		return ORB8_TRUNCATED;
	first = !(head.offset_be & bpf_htons(IP6_FRAGMENT_OFFSET));
	/* RFC 6946: whole, and no business of fragments with the same identification. */
	if (first && !(head.offset_be & bpf_htons(IP6_MORE_FRAGMENTS)))
		return parse_layer4(c, key->proto, ports, l4);
	__builtin_memcpy(frag.saddr, key->saddr, 16);
	__builtin_memcpy(frag.daddr, key->daddr, 16);
	frag.id_be = head.id_be;
	return parse_fragment(c, &frag, first, &key->proto, ports, l4);
}

/* ::ffff:a.b.c.d is how user space writes IPv4; in an IPv6 header it is nobody's address (Linux
 * drops it since 5.4), and would be taken for the IPv4 flow of the same ports.
 */
static __always_inline __u64 is_v4_mapped(const __u8 *addr)
{
	__u64 a[2], rest;

	__builtin_memcpy(a, addr, sizeof(a));
	/* Without a branch: each one here has the verifier walk half of the program again. */
	rest = a[0] | ((__u32)a[1] ^ bpf_htonl(0xffff));
	barrier_var(rest);
	return (~rest & (rest - 1)) >> 63; /* 1 if rest is 0 */
}

static __always_inline enum orb8_fate parse_v6(struct cursor *c, struct orb8_v6_key *key,
					       struct layer4 *l4)
{
	struct ipv6hdr scratch;
	struct ipv6hdr *ip = take(c, &scratch, sizeof(scratch));
	struct ports ports = {};
	__u32 fragment_off = 0;
	enum orb8_fate fate;

	if (!ip || ip->version != 6)
		return ORB8_TRUNCATED;
	__builtin_memcpy(key->saddr, &ip->saddr, 16);
	__builtin_memcpy(key->daddr, &ip->daddr, 16);
	if (is_v4_mapped(key->saddr) | is_v4_mapped(key->daddr))
		return ORB8_TRUNCATED;
	key->proto = ip->nexthdr;
	if (is_extension(key->proto)) {
		__u64 chain = skip_extensions(c->skb, c->off, key->proto);

		/* Spelled out: to the verifier a fate out of the packing is any byte. */
		if (CHAIN_FATE(chain) == ORB8_UNPARSED)
			return ORB8_UNPARSED;
		if (CHAIN_FATE(chain) != ORB8_COUNTED)
			return ORB8_TRUNCATED;
		c->off = CHAIN_OFF(chain);
		key->proto = CHAIN_PROTO(chain);
		fragment_off = CHAIN_FRAGMENT(chain);
		if (c->off > c->skb->len)
			return ORB8_TRUNCATED;
	}
	if (fragment_off)
		fate = parse_v6_fragment(c, fragment_off, key, &ports, l4);
	else
		fate = parse_layer4(c, key->proto, &ports, l4);
	key->sport_be = ports.sport_be;
	key->dport_be = ports.dport_be;
	return fate;
}

static __always_inline bool is_vlan(__be16 type_be)
{
	return type_be == bpf_htons(ETH_P_8021Q) || type_be == bpf_htons(ETH_P_8021AD);
}

/* The EtherType behind the tags in the low 16 bits, its offset above them; 0 where the frame is
 * cut short. The type is a VLAN's own where there are more tags than we follow. Global for the
 * same reason as skip_extensions(): tags in the packet itself are rare, NICs take them out.
 */
__noinline __u32 skip_vlan_tags(struct __sk_buff *skb)
{
	struct vlan_tag tag;
	__u32 off = ETH_HLEN;

	for (int i = 0; i < VLAN_DEPTH; i++) {
		if (bpf_skb_load_bytes(skb, off, &tag, sizeof(tag)))
			return 0;
		off += sizeof(tag);
		if (!is_vlan(tag.encapsulated_be))
			break;
	}
	return off << 16 | tag.encapsulated_be;
}

/* The EtherType as on the wire, or -1 where the frame is cut short: every other number could be a
 * type. Leaves the cursor behind the link layer header.
 */
static __always_inline int parse_ethernet(struct cursor *c)
{
	struct ethhdr scratch;
	struct ethhdr *eth = take(c, &scratch, sizeof(scratch));
	__u32 behind_tags;

	if (!eth)
		return -1;
	if (!is_vlan(eth->h_proto))
		return eth->h_proto;
	behind_tags = skip_vlan_tags(c->skb);
	if (!behind_tags)
		return -1;
	c->off = (behind_tags >> 16) & 0x3f; /* the verifier's bound */
	return behind_tags & 0xffff;
}
#endif
