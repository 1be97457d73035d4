/* SPDX-License-Identifier: GPL-2.0-only */
/* What core asks of an architecture's page tables: geometry, codec, publication. */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include "base/addr.h"

/* Permissions and memory type of a mapping. */
#define MAP_READ 0x1u
#define MAP_WRITE 0x2u
#define MAP_EXEC 0x4u
#define MAP_DEVICE 0x8u

#define PAGING_MAX_LEVELS 5

struct paging_level {
	uint8_t shift;		/* an entry of this level spans 1 << shift bytes */
	bool leaf;		/* may be a block (or, at the last level, a page) */
	uint16_t entries;	/* of one table; for the root all its contiguous pages together */
};

/* One format. Level 0 is the root's. Pure but for `write`. */
struct paging_format {
	unsigned levels;
	struct paging_level level[PAGING_MAX_LEVELS];
	unsigned root_pages;	/* contiguous, aligned to their own size */
	uint64_t end;		/* input addresses are below */
	uint64_t (*leaf)(unsigned level, hpa_t to, uint32_t flags);
	uint64_t (*table)(hpa_t to);
	bool (*present)(uint64_t entry);
	bool (*is_table)(unsigned level, uint64_t entry);	/* of a present entry */
	hpa_t (*address)(unsigned level, uint64_t entry);
	uint32_t (*flags)(uint64_t entry);			/* MAP_* of a leaf */
	/*
	 * Stores an entry so that table walkers see it, and see with it all that was stored
	 * before by any means (DDI0487 D8: dsb ishst after the store).
	 */
	void (*write)(uint64_t *entry, uint64_t value);
};

#endif
