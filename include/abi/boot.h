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
#define ABI_BOOT_VERSION 2

/*
 * The bytes of a segment lie as far from a multiple of this as their place does: with the MMU
 * off all memory is Device memory on arm64, of which words must be aligned.
 */
#define ABI_BOOT_ALIGN 64

/*
 * How the program is entered. arm64 has one way: EL1, MMU and caches off, x0 `argument`, x1 to x3 0.
 * x86: caches on, interrupts off, flat segments, all registers but these 0:
 *   _LINUX      32-bit protected mode, ESI `argument`: the 32-bit protocol of Linux's boot.rst
 *   _MULTIBOOT  32-bit protected mode, EAX 0x2badb002, EBX `argument`
 *   _LONG       64-bit mode, CR3 `tables`, RSI `argument`: the 64-bit protocol of boot.rst
 */
#define ABI_BOOT_ARM64 0
#define ABI_BOOT_LINUX 1
#define ABI_BOOT_MULTIBOOT 2
#define ABI_BOOT_LONG 3

/*
 * x86: the loader is linked for 0, as real mode does not tell it where it is. These words of it are
 * addresses, to each of which the region's is added.
 */
#define ABI_BOOT_FIX_FIRST 12
#define ABI_BOOT_FIX_STEP 8
#define ABI_BOOT_FIX_COUNT 4

#define ABI_BOOT_COUNT 12
#define ABI_BOOT_ENTRY 16
#define ABI_BOOT_ARGUMENT 24
#define ABI_BOOT_MODE 32
#define ABI_BOOT_TABLES 40
#define ABI_BOOT_SEGMENTS 48

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct abi_boot {
	uint64_t magic;
	uint32_t version;
	uint32_t count;
	uint64_t entry;		/* guest-physical */
	uint64_t argument;
	uint32_t mode;		/* ABI_BOOT_*, of the loader's architecture */
	uint32_t reserved;	/* 0 */
	uint64_t tables;	/* ABI_BOOT_LONG: of pages; else 0 */
};

/* x86: all of these below 4 GiB */
struct abi_boot_segment {
	uint64_t from;		/* of its bytes from struct abi_boot on */
	uint64_t to;		/* guest-physical */
	uint64_t size;		/* bytes; may be 0 */
	uint64_t memory;	/* bytes there, not 0 and at least size; the rest become zero */
};

_Static_assert(offsetof(struct abi_boot, count) == ABI_BOOT_COUNT, "boot v2");
_Static_assert(offsetof(struct abi_boot, entry) == ABI_BOOT_ENTRY, "boot v2");
_Static_assert(offsetof(struct abi_boot, argument) == ABI_BOOT_ARGUMENT, "boot v2");
_Static_assert(offsetof(struct abi_boot, mode) == ABI_BOOT_MODE, "boot v2");
_Static_assert(offsetof(struct abi_boot, tables) == ABI_BOOT_TABLES, "boot v2");
_Static_assert(sizeof(struct abi_boot) == ABI_BOOT_SEGMENTS, "boot v2");
_Static_assert(sizeof(struct abi_boot_segment) == 32, "boot v2");
#endif

#endif
