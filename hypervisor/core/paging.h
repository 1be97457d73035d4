/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Radix page tables in any architecture's format: mapping with the largest blocks
 * that fit, splitting and merging them with break-before-make, so that pages used go
 * back to what they were when a hole that was cut out is filled again.
 *
 * The caller holds the lock of whatever the tables belong to. Walkers (CPUs) may be
 * reading them all the time.
 */
#ifndef CORE_PAGING_H
#define CORE_PAGING_H

#include "arch/paging.h"
#include "base/err.h"
#include "core/pool.h"

struct paging {
	const struct paging_format *format;
	struct pool *pool;
	uint64_t *root;			/* format->root_pages pages of the pool */
	/* Forgets cached translations of `range`; called with the tables already changed. */
	void (*flush)(const struct paging *paging, struct span range);
	uint16_t tag;			/* for flush */
};

struct mapping {
	uint64_t from;			/* input address; page-aligned like the rest */
	hpa_t to;
	uint64_t size;
	uint32_t flags;			/* MAP_* */
};

/* An empty table. ERR_NO_MEMORY. */
MUST_CHECK err_t paging_init(struct paging *p);
/* Gives every table page back. Nobody may be walking it. */
void paging_free(struct paging *p);

/*
 * Maps m with the largest blocks that fit m and the tables that are there already; what
 * is already mapped there is replaced (break-before-make where an entry changes from one
 * valid value to another, and one flush for it).
 * ERR_NO_MEMORY: mapped in part; the caller unmaps or frees. (To unmap, paging_cut must
 * have come before the map if older blocks may cross the edges of m.) Needs no page for
 * a range whose tables are there already: what paging_cut + paging_unmap made a hole of
 * can always be mapped again.
 * ERR_RANGE: beyond format->end.
 */
MUST_CHECK err_t paging_map(struct paging *p, const struct mapping *m);

/*
 * Splits the blocks that cross an edge of `range`, so that paging_unmap(range) needs no
 * page and touches no translation outside. Translations stay the same throughout but
 * for the break in break-before-make. ERR_NO_MEMORY: nothing changed but splits, which
 * paging_merge undoes. ERR_RANGE: beyond format->end.
 */
MUST_CHECK err_t paging_cut(struct paging *p, struct span range);

/* Removes every translation in `range`, keeps the tables, flushes once. No block may cross an edge: BUG. */
void paging_unmap(struct paging *p, struct span range);

/*
 * Collapses uniform tables wholly within `range` into blocks and gives their pages back. Never
 * across its edges, so that a later cut inside leaves translations outside alone.
 * Empty tables stay: a hole that was cut is mapped again with them, without a page.
 */
void paging_merge(struct paging *p, struct span range);

struct translation {
	hpa_t to;
	uint32_t flags;
	uint64_t size;			/* of the leaf that was found */
};

/* What `from` translates to, or ERR_NOT_FOUND. */
MUST_CHECK err_t paging_walk(const struct paging *p, uint64_t from, struct translation *out);

#endif
