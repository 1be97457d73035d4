/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cell's guest-physical address space: second-stage tables, and a live root that can
 * be emptied in one stroke to get a CPU back that runs with everything masked.
 */
#ifndef CORE_SPACE_H
#define CORE_SPACE_H

#include "abi/config.h"
#include "base/lock.h"
#include "core/paging.h"

struct space {
	struct paging paging;
	uint64_t *live;		/* what CPUs walk: paging.root itself, or a copy that revoke empties */
	struct lock lock;	/* tables that change while CPUs walk them: the root cell's */
	uint32_t walkers;	/* atomic; who reads them without the lock: space_walk() */
	bool changing;		/* atomic; they have to take it */
};

/* `revocable`: with a live root of its own. ERR_NO_MEMORY. */
MUST_CHECK err_t space_init(struct space *space, const struct paging_format *format,
			    struct pool *pool, uint16_t tag, bool revocable);
void space_free(struct space *space);

/* The MAP_* flags of a region of the configuration. */
uint32_t space_flags(const struct abi_mem *mem);

/* ERR_NO_MEMORY, ERR_RANGE: mapped in part. */
MUST_CHECK err_t space_map(struct space *space, const struct mapping *m);
/* A region of the configuration, where it says. */
MUST_CHECK err_t space_map_region(struct space *space, const struct abi_mem *mem);
MUST_CHECK err_t space_cut(struct space *space, struct span range);
void space_unmap(struct space *space, struct span range);
void space_merge(struct space *space, struct span range);

/* Makes the tables what CPUs walk. Revocable spaces only; before the cell starts. */
void space_publish(struct space *space);
/* Takes everything away: the next access of any kind enters the hypervisor. Any CPU, any time. */
void space_revoke(struct space *space);

/* What the tables say now, published or not. */
MUST_CHECK err_t space_walk(struct space *space, gpa_t at, struct translation *out);

#endif
