/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A boot region (ABI_MEM_BOOT) as the command fills it and the loader in it reads it:
 *
 *   loader | struct abi_boot | count x struct abi_boot_segment | bytes of the segments
 *
 * The loader is the region's first byte, where the cell starts, and ends at a multiple of
 * ABI_BOOT_ALIGN. It copies each segment to its place, in their order, and jumps to `entry`.
 */
#ifndef ABI_BOOT_H
#define ABI_BOOT_H

#define ABI_BOOT_MAGIC 0x544f4f424c49414a	/* "JAILBOOT" */
#define ABI_BOOT_VERSION 1

/*
 * The bytes of a segment lie as far from a multiple of this as their place does: with the MMU
 * off all memory is Device memory, of which words must be aligned.
 */
#define ABI_BOOT_ALIGN 64

#define ABI_BOOT_COUNT 12
#define ABI_BOOT_ENTRY 16
#define ABI_BOOT_ARGUMENT 24
#define ABI_BOOT_SEGMENTS 32

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct abi_boot {
	uint64_t magic;
	uint32_t version;
	uint32_t count;
	uint64_t entry;		/* guest-physical */
	uint64_t argument;	/* arm64: x0 there, the device tree; x1 to x3 are 0 */
};

struct abi_boot_segment {
	uint64_t from;		/* of its bytes from struct abi_boot on */
	uint64_t to;		/* guest-physical */
	uint64_t size;		/* bytes; may be 0 */
	uint64_t memory;	/* bytes there, not 0 and at least size; the rest become zero */
};

_Static_assert(offsetof(struct abi_boot, count) == ABI_BOOT_COUNT, "boot v1");
_Static_assert(offsetof(struct abi_boot, entry) == ABI_BOOT_ENTRY, "boot v1");
_Static_assert(offsetof(struct abi_boot, argument) == ABI_BOOT_ARGUMENT, "boot v1");
_Static_assert(sizeof(struct abi_boot) == ABI_BOOT_SEGMENTS, "boot v1");
_Static_assert(sizeof(struct abi_boot_segment) == 32, "boot v1");
#endif

#endif
