/* When to wake the reader of a ring: for the first record of an empty ring, then once each eighth
 * of the ring, so that a flood costs few wake-ups and silence none. What lies between two wake-ups
 * waits for the reader's own time-out (ORB8_POLL_INTERVAL_MS).
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_RING_H
#define ORB8_PROBES_RING_H
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Flags for submitting the record of `size` bytes that is about to be reserved. */
static __always_inline __u64 wake_flags(void *ring, __u32 size)
{
	__u64 waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	__u64 eighth = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 8;
	__u64 after = waiting + size + BPF_RINGBUF_HDR_SZ;

	/* A ring's size is a power of two: these are the numbers of the eighths. */
	if (waiting == 0 || (waiting & ~(eighth - 1)) != (after & ~(eighth - 1)))
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}
#endif
