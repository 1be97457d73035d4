// SPDX-License-Identifier: GPL-2.0-only
/*
 * First fit over a bitmap. Two bits are kept for a page: "taken", and "the last page of
 * what one pool_take gave", in a second bitmap behind the first. The second one is what
 * lets pool_give tell a whole from a part of it.
 */
#include "base/bits.h"
#include "base/bug.h"
#include "base/str.h"
#include "core/pool.h"

static size_t bitmap_words(uint64_t pages)
{
	return (size_t)((pages + 63) / 64);
}

static uint64_t *last_bitmap(const struct pool *pool)
{
	return pool->bitmap + bitmap_words(pool->pages);
}

static void mark_taken(struct pool *pool, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		bit_set(pool->bitmap, i);
	bit_set(last_bitmap(pool), first + count - 1);
	pool->used += count;
	/* no page below `next` is free, so first fit need not look there */
	if (pool->next == first)
		pool->next = first + count;
}

err_t pool_init(struct pool *pool, void *virt, hpa_t phys, uint64_t size)
{
	uint64_t pages = size >> PAGE_SHIFT;
	size_t bytes = 2 * bitmap_words(pages) * sizeof(uint64_t);
	uint64_t own = align_up(bytes, PAGE_SIZE) >> PAGE_SHIFT;

	BUG_ON((((uintptr_t)virt | phys.v | size) & PAGE_MASK) != 0);
	if (pages > UINT32_MAX)
		return ERR_TOO_LARGE;
	if (pages == 0 || own > pages)
		return ERR_NO_MEMORY;
	BUG_ON(!span_valid((struct span){ phys.v, size }));

	*pool = (struct pool){ .virt = virt, .phys = phys, .pages = (uint32_t)pages, .bitmap = virt };
	memset(pool->bitmap, 0, bytes);
	mark_taken(pool, 0, (uint32_t)own);
	return OK;
}

/* The lowest page from which on all up to at + count are free; `at` itself: they all are. */
static uint64_t free_from(const struct pool *pool, uint64_t at, uint32_t count)
{
	uint64_t i = at + count;

	while (i > at && !bit_test(pool->bitmap, (unsigned)(i - 1)))
		i--;
	return i;
}

static err_t find(const struct pool *pool, uint32_t count, uint32_t align, uint32_t *first)
{
	uint64_t frame = pool->phys.v >> PAGE_SHIFT;
	uint64_t at = pool->next;

	for (;;) {
		uint64_t from;

		at = align_up(frame + at, align) - frame;
		if (at > pool->pages || count > pool->pages - at)
			return ERR_NO_MEMORY;
		from = free_from(pool, at, count);
		if (from == at)
			break;
		at = from;
	}
	*first = (uint32_t)at;
	return OK;
}

err_t pool_take(struct pool *pool, uint32_t count, uint32_t align, void **out)
{
	uint32_t first;
	uint8_t *pages;

	BUG_ON(count == 0);
	BUG_ON(align == 0 || (align & (align - 1)) != 0);
	TRY(find(pool, count, align, &first));
	mark_taken(pool, first, count);
	pages = pool->virt + ((size_t)first << PAGE_SHIFT);
	memset(pages, 0, (size_t)count << PAGE_SHIFT);
	*out = pages;
	return OK;
}

/* Where `virt` lies in the pool, in bytes. */
static uint64_t offset_of(const struct pool *pool, const void *virt)
{
	uint64_t offset = (uintptr_t)virt - (uintptr_t)pool->virt;

	BUG_ON((uintptr_t)virt < (uintptr_t)pool->virt);
	BUG_ON(offset >> PAGE_SHIFT >= pool->pages);
	return offset;
}

void pool_give(struct pool *pool, void *pages, uint32_t count)
{
	uint64_t offset = offset_of(pool, pages);
	uint32_t first = (uint32_t)(offset >> PAGE_SHIFT);
	uint64_t *last = last_bitmap(pool);

	BUG_ON((offset & PAGE_MASK) != 0);
	BUG_ON(offset == 0);	/* the bitmap's own pages */
	BUG_ON(count == 0 || count > pool->pages - first);
	/* what lies before is another take's, or nobody's: else this is not the first page */
	BUG_ON(bit_test(pool->bitmap, first - 1) && !bit_test(last, first - 1));
	for (uint32_t i = first; i < first + count; i++) {
		BUG_ON(!bit_test(pool->bitmap, i));
		BUG_ON(bit_test(last, i) != (i == first + count - 1));
	}

	for (uint32_t i = first; i < first + count; i++)
		bit_clear(pool->bitmap, i);
	bit_clear(last, first + count - 1);
	pool->used -= count;
	if (first < pool->next)
		pool->next = first;
}

hpa_t pool_phys(const struct pool *pool, const void *virt)
{
	return hpa(pool->phys.v + offset_of(pool, virt));
}

void *pool_virt(const struct pool *pool, hpa_t phys)
{
	BUG_ON(phys.v < pool->phys.v);
	BUG_ON((phys.v - pool->phys.v) >> PAGE_SHIFT >= pool->pages);
	return pool->virt + (phys.v - pool->phys.v);
}
