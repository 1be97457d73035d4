// SPDX-License-Identifier: GPL-2.0-only
#include "arch/tlb.h"
#include "base/str.h"
#include "core/space.h"

static void flush(const struct paging *paging, struct span range)
{
	arch_tlb_flush_space(paging->tag, range);
}

static size_t root_size(const struct paging_format *format)
{
	return format->root_pages * PAGE_SIZE;
}

err_t space_init(struct space *space, const struct paging_format *format, struct pool *pool,
		 uint16_t tag, bool revocable)
{
	void *live;
	err_t e;

	*space = (struct space){ .paging = { .format = format, .pool = pool, .flush = flush, .tag = tag } };
	TRY(paging_init(&space->paging));
	space->live = space->paging.root;
	if (!revocable)
		return OK;
	e = pool_take(pool, format->root_pages, format->root_pages, &live);
	if (e != OK) {
		paging_free(&space->paging);
		return e;
	}
	space->live = live;
	return OK;
}

void space_free(struct space *space)
{
	const struct paging_format *format = space->paging.format;

	if (space->live != space->paging.root)
		pool_give(space->paging.pool, space->live, format->root_pages);
	paging_free(&space->paging);
}

uint32_t space_flags(const struct abi_mem *mem)
{
	static_assert(ABI_MEM_READ == MAP_READ && ABI_MEM_WRITE == MAP_WRITE &&
		      ABI_MEM_EXEC == MAP_EXEC, "same bits");
	return (mem->flags & (MAP_READ | MAP_WRITE | MAP_EXEC)) |
	       (mem->flags & ABI_MEM_IO ? MAP_DEVICE : 0);
}

/*
 * Guest code is read at exits, and of Linux's CPUs in xAPIC mode each timer interrupt has several. So
 * walks do not wait for each other, as they would for a lock. Only changes keep them out:
 *
 *   walk                            change
 *   walkers + 1                     lock taken; changing = true
 *   changing? then - 1, and lock    walkers are waited for
 *   tables read                     tables written
 *   walkers - 1                     changing = false; lock dropped
 *
 * Either the walk sees that there is a change, or the change that there is a walk.
 */
static void begin_change(struct space *space)
{
	lock_take(&space->lock);
	__atomic_store_n(&space->changing, true, __ATOMIC_SEQ_CST);
	/* pairs with the release in end_walk() */
	while (__atomic_load_n(&space->walkers, __ATOMIC_SEQ_CST) != 0)
		;
}

static void end_change(struct space *space)
{
	/* pairs with the load in begin_walk() */
	__atomic_store_n(&space->changing, false, __ATOMIC_RELEASE);
	lock_drop(&space->lock);
}

static void end_walk(struct space *space)
{
	__atomic_fetch_sub(&space->walkers, 1, __ATOMIC_RELEASE);
}

/* False: the lock is held instead. */
static bool begin_walk(struct space *space)
{
	__atomic_fetch_add(&space->walkers, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&space->changing, __ATOMIC_SEQ_CST))
		return true;
	end_walk(space);
	lock_take(&space->lock);
	return false;
}

err_t space_map(struct space *space, const struct mapping *m)
{
	err_t e;

	begin_change(space);
	e = paging_map(&space->paging, m);
	end_change(space);
	return e;
}

err_t space_map_region(struct space *space, const struct abi_mem *mem)
{
	return space_map(space, &(struct mapping){ mem->virt, hpa(mem->phys), mem->size, space_flags(mem) });
}

err_t space_cut(struct space *space, struct span range)
{
	err_t e;

	begin_change(space);
	e = paging_cut(&space->paging, range);
	end_change(space);
	return e;
}

void space_unmap(struct space *space, struct span range)
{
	begin_change(space);
	paging_unmap(&space->paging, range);
	end_change(space);
}

void space_merge(struct space *space, struct span range)
{
	begin_change(space);
	paging_merge(&space->paging, range);
	end_change(space);
}

static void copy_root(struct space *space, bool empty)
{
	const struct paging_format *format = space->paging.format;
	unsigned i;

	for (i = 0; i < root_size(format) / sizeof(uint64_t); i++)
		format->write(&space->live[i], empty ? 0 : space->paging.root[i]);
}

void space_publish(struct space *space)
{
	copy_root(space, false);
	/* Nothing may be cached from before: a tag is used again by the next cell */
	arch_tlb_flush_space_all(space->paging.tag);
}

void space_revoke(struct space *space)
{
	copy_root(space, true);
	arch_tlb_flush_space_all(space->paging.tag);
}

err_t space_walk(struct space *space, gpa_t at, struct translation *out)
{
	bool counted = begin_walk(space);
	err_t e = paging_walk(&space->paging, at.v, out);

	if (counted)
		end_walk(space);
	else
		lock_drop(&space->lock);
	return e;
}
