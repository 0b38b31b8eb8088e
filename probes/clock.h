/* How user space learns what the time stamps of probes mean.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_CLOCK_H
#define ORB8_PROBES_CLOCK_H
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "common/clock.h"

/* Never attached: user space runs it by BPF_PROG_TEST_RUN to read both clocks at one instant. */
SEC("tc")
int orb8_clock(struct __sk_buff *skb)
{
	struct orb8_clock_pair pair = {
	    .jiffies = bpf_jiffies64(),
	    .boot_ns = bpf_ktime_get_boot_ns(),
	};

	return bpf_skb_store_bytes(skb, 0, &pair, sizeof(pair), 0);
}
#endif
