/* IPv4 addresses in the 16 bytes that hold those of both families.
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef ORB8_PROBES_ADDR_H
#define ORB8_PROBES_ADDR_H
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* RFC 4291, 2.5.5.2 */
static __always_inline void map_v4(__u8 *addr, __be32 v4_be)
{
	__builtin_memset(addr, 0, 10);
	addr[10] = addr[11] = 0xff;
	__builtin_memcpy(addr + 12, &v4_be, 4);
}
#endif
