// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Somebody else's TC program: counts what reaches it, and says how it came: whole in the linear
 * area or not, with a VLAN tag beside it or not.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define HEADERS 34 /* Ethernet and IPv4 without options */

/* What it decides. */
const volatile int verdict = -1;

/* All CPUs add to the same words: what is rare is worth no map. */
__u64 packets;
__u64 bytes;
__u64 nonlinear; /* whose headers are not all in the linear area */
__u64 tagged;

SEC("tc")
int witness(struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data;

	__sync_fetch_and_add(&packets, 1);
	__sync_fetch_and_add(&bytes, skb->len);
	if (linear < HEADERS && linear < skb->len)
		__sync_fetch_and_add(&nonlinear, 1);
	if (skb->vlan_present)
		__sync_fetch_and_add(&tagged, 1);
	return verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
