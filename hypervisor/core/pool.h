/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages the hypervisor has for itself: page tables, cells, copies. All of them
 * lie in one host-physical span that is mapped at one hypervisor address.
 * Caller holds the system lock (management) or is the only CPU (enable).
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "base/addr.h"
#include "base/err.h"

struct pool {
	uint8_t *virt;		/* of the first page */
	hpa_t phys;
	uint32_t pages;
	uint32_t used;
	/*
	 * Bit set: taken. Behind it one more, bit set: the last page of a pool_take. Both
	 * lie in the first pages of the pool itself.
	 */
	uint64_t *bitmap;
	uint32_t next;		/* where the next search begins: no page below is free */
};

/*
 * `virt` and `phys` page-aligned, `size` a page multiple. ERR_NO_MEMORY if it
 * cannot hold its bitmap, ERR_TOO_LARGE for more pages than can be counted.
 */
MUST_CHECK err_t pool_init(struct pool *pool, void *virt, hpa_t phys, uint64_t size);

/*
 * `count` zeroed, contiguous pages, host-physically aligned to `align` pages (a power
 * of two). ERR_NO_MEMORY leaves *out as it was.
 */
MUST_CHECK err_t pool_take(struct pool *pool, uint32_t count, uint32_t align, void **out);

/* What pool_take gave, whole. Anything else is a BUG. */
void pool_give(struct pool *pool, void *pages, uint32_t count);

hpa_t pool_phys(const struct pool *pool, const void *virt);
void *pool_virt(const struct pool *pool, hpa_t phys);

#endif
