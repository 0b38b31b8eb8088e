/* The kernel's clocks, as they cross the kernel/user line.
 * SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) OR Apache-2.0
 */
#ifndef ORB8_COMMON_CLOCK_H
#define ORB8_COMMON_CLOCK_H
#include "common/abi.h"

/* A pair of readings of one instant, by which jiffies become nanoseconds. */
struct orb8_clock_pair {
	__u64 jiffies;
	__u64 boot_ns;
};

ORB8_ABI_SIZE(orb8_clock_pair, 16);
#endif
