// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the probes are measured against. Never part of a product binary.
 * - empty, and empty_skb for what runs at a cgroup: the cost of the harness;
 * - ring_per_packet: the classic design, one 32-byte event for each packet, all to user space.
 */
#include "probes/parse.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} ring SEC(".maps");

/* Events that found the ring full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} ring_lost SEC(".maps");

SEC("tc")
int empty(struct __sk_buff *skb)
{
	return -1; /* TC_ACT_UNSPEC */
}

SEC("cgroup_skb/ingress")
int empty_skb(struct __sk_buff *skb)
{
	return 1; /* let it pass */
}

/* Whether a test run comes with a socket: without one, the socket probes do nothing. */
SEC("cgroup_skb/ingress")
int has_socket(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk && bpf_sk_fullsock(sk);
}

SEC("tc")
int ring_per_packet(struct __sk_buff *skb)
{
	struct cursor c = {
	    .skb = skb,
	    .data = (void *)(long)skb->data,
	    .end = (void *)(long)skb->data_end,
	};
	struct orb8_v4_key key = {};
	struct layer4 l4 = {};
	struct network_flow_event *event;

	if (parse_ethernet(&c) != bpf_htons(ETH_P_IP) || parse_v4(&c, &key, &l4) != ORB8_COUNTED)
		return -1;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		__u32 zero = 0;
		__u64 *lost = bpf_map_lookup_elem(&ring_lost, &zero);

		if (lost)
			(*lost)++;
		return -1;
	}
	event->cgroup_id = 0;
	event->timestamp_ns = bpf_ktime_get_ns();
	event->src_ip = bpf_ntohl(key.saddr_be);
	event->dst_ip = bpf_ntohl(key.daddr_be);
	event->src_port = bpf_ntohs(key.sport_be);
	event->dst_port = bpf_ntohs(key.dport_be);
	event->protocol = key.proto;
	event->direction = ORB8_INGRESS;
	event->packet_len = skb->len;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
