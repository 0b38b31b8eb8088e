/* The layout checks that every header of this room uses, in both languages.
 * SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) OR Apache-2.0
 */
#ifndef ORB8_COMMON_ABI_H
#define ORB8_COMMON_ABI_H
#include <linux/types.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "records that cross the kernel/user line are little-endian"
#endif

#ifdef __cplusplus
#include <type_traits>
/* C++ can also prove that there is no hidden padding. */
#define ORB8_ABI_SIZE(type, bytes)                                                                 \
	static_assert(sizeof(type) == (bytes), #type " is ABI");                                   \
	static_assert(std::has_unique_object_representations_v<type>, #type " has padding")
#define ORB8_ABI_AT(type, field, at) static_assert(__builtin_offsetof(type, field) == (at), #field)
#define ORB8_ABI_ALIGN(type, bytes) static_assert(alignof(type) == (bytes), #type " alignment")
#else
#define ORB8_ABI_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type " is ABI")
#define ORB8_ABI_AT(type, field, at)                                                               \
	_Static_assert(__builtin_offsetof(struct type, field) == (at), #field)
#define ORB8_ABI_ALIGN(type, bytes)                                                                \
	_Static_assert(_Alignof(struct type) == (bytes), #type " alignment")
#endif
#endif
