/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The head of hypervisor.bin, filled in half by the build and half by the driver,
 * and the log the root cell reads.
 *
 * The driver puts the image at the start of the hypervisor memory, zeroes the rest
 * of that memory up to memory_size, puts the system configuration at config_offset
 * (page multiple, at or behind memory_size), fills in the lower half, writes all of
 * it back to memory and enters at start + entry on every CPU at once:
 *
 *   arm64: hvc #0, x0 = HVC_SOFT_RESTART, x1 = entry, x2 = Linux's CPU number
 *   result in x0: 0, or a negative ABI_E*; then nothing was changed
 *
 *   x86: the driver builds tables at boot_offset (boot_size bytes): the hypervisor memory
 *   at `base`, in writable and executable 2 MiB pages, and the one page of the module's text
 *   that switches tables (`switch_page`) where Linux has it. From that page, in 64-bit mode
 *   with 4-level paging, interrupts off, EFER.SVME on and GIF 0, with CR3 = those tables, it jumps to
 *   base + entry with EDI = Linux's CPU number, RSI = Linux's RSP, RDX = Linux's CR3, RCX = the
 *   address in that page to come back to. There the CPU arrives with RAX = result, RSI and RDX
 *   as they were given and R8 = 1 on bare metal (with the hypervisor's CR3 and segments, GIF 0, EFER.SVME
 *   on, but GDTR, IDTR, TR, LDTR, FS, GS, CR0 and CR4 Linux's) or R8 = 0 as a guest (with Linux's
 *   CR3). No other register is kept.
 */
#ifndef ABI_IMAGE_H
#define ABI_IMAGE_H

#include "config.h"

#define ABI_IMAGE_MAGIC "JHIMAGE1"

struct abi_image {
	/* By the build */
	char magic[8];
	uint32_t arch;			/* ABI_ARCH_* */
	uint32_t max_cpus;
	uint64_t image_size;		/* bytes of the file */
	uint64_t memory_size;		/* bytes from its start with .bss; page multiple */
	uint64_t entry;			/* offset */
	uint64_t log_offset;		/* of struct abi_log; page multiple */
	uint64_t log_size;		/* bytes; page multiple */
	uint64_t min_pool;		/* bytes wanted behind the configuration */
	uint64_t base;			/* x86: where the image runs; else 0 */
	uint64_t boot_offset;		/* x86: of the pages for the driver's tables; else 0 */
	uint64_t boot_size;
	char version[64];
	/* By the driver */
	uint64_t start;			/* host-physical; 2 MiB multiple */
	uint64_t size;			/* bytes of hypervisor memory */
	uint64_t config_offset;
	uint64_t config_size;
	uint32_t online_cpus;		/* how many CPUs enter */
	uint32_t tsc_khz;		/* x86: as Linux measured it; else 0 */
	uint64_t switch_page;		/* x86: Linux-virtual address of the page that switches tables */
	uint64_t switch_phys;		/* ... and host-physical */
};

_Static_assert(sizeof(struct abi_image) == 208, "image header");
_Static_assert(offsetof(struct abi_image, start) == 152, "image header");

/*
 * What is said: rings of text, mapped read-only into the root cell for as long as the hypervisor
 * is enabled. The hypervisor's own ring lies behind struct abi_log and ends at offset first_size;
 * rings - 1 of other_size bytes each, for the cells' consoles, follow.
 */
#define ABI_LOG_MAGIC 0x32474f4au	/* "JOG2" */

struct abi_log {
	uint32_t magic;
	uint32_t rings;			/* with the hypervisor's */
	uint32_t first_size;		/* bytes */
	uint32_t other_size;		/* bytes; both are multiples of 8 */
	char error[240];		/* why the last management hypercall failed, or empty */
};

_Static_assert(sizeof(struct abi_log) == 256, "log");

/* The end of a line. */
struct abi_mark {
	uint64_t end;			/* how many bytes had been written, with its newline if it has one */
	uint64_t time;			/* ticks of a counter all CPUs share */
};

/*
 * `head` counts the bytes ever written since the ring is this cell's, byte i is in
 * text[i % text_size]; `lines` counts the lines ended, line i is in marks[i % mark_count]. Both
 * are written behind what they count. A reader looks at them and at `epoch` again after copying: text
 * older than head - text_size and marks older than lines - mark_count are lost, and with another epoch
 * all is another cell's.
 */
struct abi_ring {
	volatile uint32_t epoch;	/* odd: it is being emptied for another cell */
	uint32_t text_size;
	uint32_t mark_count;
	volatile uint32_t cell;		/* id; ABI_RING_UNUSED: whose it was is gone */
	volatile uint64_t head;
	volatile uint64_t lines;
	char name[32];			/* the cell's; empty: the hypervisor's ring */
	struct abi_mark marks[];	/* mark_count of them, then the text */
};

#define ABI_RING_UNUSED 0xffffffffu
/* No line is longer: a mark is made then. */
#define ABI_LINE_MAX 255u

_Static_assert(sizeof(struct abi_ring) == 64, "log");

#endif
