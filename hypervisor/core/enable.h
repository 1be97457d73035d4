/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enable: all CPUs meet, one of them builds the system, all check that they fit, and only
 * then does any of them change anything. Whatever goes wrong before, all go back to Linux.
 *
 *   GATHERING ──► BUILDING ──► CHECKING ──► GO
 *       └─────────────┴────────────┴──────► FAILED
 */
#ifndef CORE_ENABLE_H
#define CORE_ENABLE_H

#include "abi/image.h"
#include "core/system.h"

enum phase {
	GATHERING,
	BUILDING,
	CHECKING,
	GO,
	FAILED,
};

/* Where the CPUs meet; zero at first, like all of .bss, by the driver. */
struct meeting {
	uint32_t phase;		/* enum phase, atomic */
	uint32_t arrived;	/* atomic */
	uint32_t checked;	/* atomic */
	uint32_t active;	/* atomic: CPUs under the hypervisor; the architecture counts */
	struct lock lock;	/* guards why and error */
	err_t error;
	struct why why;
};

/* What an architecture brings along. */
struct enable {
	struct system *sys;
	struct meeting *meeting;
	const struct abi_image *image;
	uint8_t *memory;	/* where the hypervisor memory lies in its own addresses */
	struct paging *tables;	/* the hypervisor's own; format, pool and flush are the architecture's to set */
	const struct platform *platform;	/* whose files it reads */

	/* The format of second-stage tables. On one CPU, first. */
	err_t (*format)(struct why *why);
	/* sys->limits and mediated spans by the platform's record, sys->config is parsed. On that CPU. */
	void (*limits)(void);
	/* The CPU with that index, its architecture's part attached. */
	struct cpu *(*cpu)(unsigned index);
	/* The hypervisor's own tables and the machine's controllers; the root cell is there. On that CPU. */
	err_t (*build)(struct why *why);
	/* On each CPU, one by one or at once: does it fit? */
	err_t (*check)(struct cpu *self, struct why *why);
};

/* All the way to GO or FAILED, on each CPU; number and hwid are the calling one's. */
enum phase enable_meet(const struct enable *e, unsigned number, uint64_t hwid);

/* Why it failed: words into the log's head. The negative ABI_E* for the driver. */
long enable_failed(const struct enable *e);

/* linker script: where the image's sections begin; behind _data lies what is zero at first, then the CPUs' areas */
extern uint8_t _start[], _text[], _rodata[], _data[], _percpu[];

/*
 * The hypervisor's own tables: made, with the image and what follows it but for the CPUs' areas. W^X,
 * page by page; the configuration read-only; no cell's memory at all.
 */
MUST_CHECK err_t enable_map_image(const struct enable *e);
/*
 * Then, into them: part of the image or of what follows it, by its addresses; what lies at its
 * host-physical address; and the tables of a CPU's window, with its two entries (a last-level
 * block's and a page's) left empty.
 */
MUST_CHECK err_t enable_map(const struct enable *e, const uint8_t *from, const uint8_t *to, uint32_t flags);
MUST_CHECK err_t enable_map_identity(const struct enable *e, struct span span, uint32_t flags);
MUST_CHECK err_t enable_map_window(const struct enable *e, uint64_t block, uint64_t page,
				   uint64_t **block_entry, uint64_t **page_entry);

static inline uint8_t *enable_log(const struct enable *e)
{
	return e->memory + e->image->log_offset;
}

#endif
