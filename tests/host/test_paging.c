// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables against a flat array of pages, with the model's CPUs walking before every
 * store and around every flush: what they find then is the old translation, the new one,
 * or a fault; after the operation, only the new one.
 */
#include "test.h"

#include "arch/arm64/pure/format.h"
#include "arch/host/host.h"
#include "arch/tlb.h"
#include "arch/x86/pure/format.h"
#include "core/paging.h"

#define POOL_PAGES 2048u
#define MAX_PAGES 4096u
#define RWX (MAP_READ | MAP_WRITE | MAP_EXEC)

static _Alignas(4096) uint8_t memory[POOL_PAGES * 4096];

/* What a page translates to; flags 0: to nothing. */
struct cell {
	uint64_t to;
	uint32_t flags;
};

struct world {
	struct pool pool;
	struct paging_format format;
	struct paging paging;
	uint64_t base;			/* input address of page[0] */
	unsigned pages;
	struct cell now[MAX_PAGES];
	struct cell next[MAX_PAGES];	/* after the operation */
	unsigned sample[MAX_PAGES];	/* the pages that CPUs walk */
	unsigned samples;
	unsigned stride;		/* CPUs walk at every stride-th step */
	unsigned steps;
	uint64_t seed;
};

static struct world w;

static void begin(const struct paging_format *format, uint64_t base, unsigned pages)
{
	memset(&w, 0, sizeof(w));
	host_reset();
	assert_ok(pool_init(&w.pool, memory, hpa(0x80000000), sizeof(memory)));
	w.format = *format;
	w.format.write = host_write;
	w.paging = (struct paging){
		.format = &w.format, .pool = &w.pool, .flush = host_flush_space, .tag = 3,
	};
	assert_ok(paging_init(&w.paging));
	w.base = base;
	w.pages = pages;
	w.stride = 1;
}

static void sample_all(void)
{
	for (w.samples = 0; w.samples < w.pages; w.samples++)
		w.sample[w.samples] = w.samples;
}

/* Tables end with their caches, and every page of theirs comes back. */
static void end(void)
{
	host_on_step(NULL, NULL);
	arch_tlb_flush_space_all(w.paging.tag);
	paging_free(&w.paging);
	assert_null(w.paging.root);
	assert_int_equal(w.pool.used, 1);
	assert_string_equal(host_complaint(), "");
}

static uint64_t address_of(unsigned page)
{
	return w.base + page * PAGE_SIZE;
}

static struct cell find(unsigned page, unsigned cpu)
{
	struct translation t;

	if (host_walk(&w.paging, cpu, address_of(page), &t) != OK)
		return (struct cell){ 0, 0 };
	return (struct cell){ t.to.v, t.flags };
}

static bool same(struct cell a, struct cell b)
{
	return a.to == b.to && a.flags == b.flags;
}

static void step(void *arg)
{
	(void)arg;
	if (w.steps++ % w.stride != 0)
		return;
	for (unsigned i = 0; i < w.samples; i++) {
		unsigned page = w.sample[i];
		struct cell c = find(page, i % 2);

		if (c.flags != 0 && !same(c, w.now[page]) && !same(c, w.next[page]))
			fail_msg("page %u went to %#llx in between", page, (unsigned long long)c.to);
	}
}

/* The operation is over: no CPU and no walk finds anything but what is next. */
static void settle(void)
{
	host_on_step(NULL, NULL);
	for (unsigned page = 0; page < w.pages; page++) {
		struct translation t = { .flags = 0 };
		err_t e = paging_walk(&w.paging, address_of(page), &t);

		assert_int_equal(e, w.next[page].flags ? OK : ERR_NOT_FOUND);
		if (e == OK && (t.to.v != w.next[page].to || t.flags != w.next[page].flags))
			fail_msg("page %u is at %#llx", page, (unsigned long long)t.to.v);
	}
	for (unsigned i = 0; i < w.samples * 3; i++) {
		unsigned page = w.sample[i % w.samples];

		if (!same(find(page, i / w.samples), w.next[page]))
			fail_msg("a stale translation of page %u", page);
	}
	assert_string_equal(host_complaint(), "");
	memcpy(w.now, w.next, sizeof(w.now));
}

static struct span span_of(unsigned first, unsigned count)
{
	return (struct span){ address_of(first), count * PAGE_SIZE };
}

static struct mapping mapping_of(unsigned first, unsigned count, uint64_t to, uint32_t flags)
{
	return (struct mapping){ address_of(first), hpa(to), count * PAGE_SIZE, flags };
}

static void expect(unsigned first, unsigned count, uint64_t to, uint32_t flags)
{
	for (unsigned i = 0; i < count; i++)
		w.next[first + i] = (struct cell){ flags ? to + i * PAGE_SIZE : 0, flags };
	host_on_step(step, NULL);
}

/* ... and merges within `merged`, if that is not empty. */
static err_t map(unsigned first, unsigned count, uint64_t to, uint32_t flags, struct span merged)
{
	const struct mapping m = mapping_of(first, count, to, flags);
	err_t e;

	expect(first, count, to, flags);
	e = paging_map(&w.paging, &m);
	if (e == OK && merged.size != 0)
		paging_merge(&w.paging, merged);
	return e;
}

static void unmap(unsigned first, unsigned count)
{
	unsigned before = host_flushes();
	bool any = false;

	for (unsigned i = first; i < first + count; i++)
		any = any || w.now[i].flags;
	expect(first, count, 0, 0);
	paging_unmap(&w.paging, span_of(first, count));
	assert_int_equal(host_flushes() - before, any);
	settle();
}

/* A map that ended half-way left each page as it was, as it shall be, or nowhere. */
static void unmap_half(unsigned first, unsigned count)
{
	host_on_step(NULL, NULL);
	for (unsigned i = first; i < first + count; i++) {
		struct translation t = { .flags = 0 };
		struct cell c = { 0, 0 };

		if (paging_walk(&w.paging, address_of(i), &t) == OK)
			c = (struct cell){ t.to.v, t.flags };
		assert_true(c.flags == 0 || same(c, w.now[i]) || same(c, w.next[i]));
		w.now[i] = c;
	}
	expect(first, count, 0, 0);
	paging_unmap(&w.paging, span_of(first, count));
	settle();
}

static err_t cut(unsigned first, unsigned count)
{
	host_on_step(step, NULL);
	return paging_cut(&w.paging, span_of(first, count));
}

static void merge(unsigned first, unsigned count)
{
	host_on_step(step, NULL);
	paging_merge(&w.paging, span_of(first, count));
	settle();
}

/* Takes pages until `left` are free; a chain through their first words to give them back. */
static void **drain(uint32_t left)
{
	void **chain = NULL;

	while (w.pool.pages - w.pool.used > left) {
		void *page;

		assert_ok(pool_take(&w.pool, 1, 1, &page));
		*(void **)page = chain;
		chain = page;
	}
	return chain;
}

static void refill(void **chain)
{
	while (chain) {
		void **next = *chain;

		pool_give(&w.pool, chain, 1);
		chain = next;
	}
}

static const struct span nothing = { 0, 0 };

/* Every range of the small format, to where it is aligned and to where it is not. */
static void test_map_every_range(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 64; first++) {
		for (unsigned count = 1; count <= 64 - first; count++) {
			uint64_t to = 0x400000 + first * PAGE_SIZE + (count % 3) * PAGE_SIZE;

			begin(&host_format_small, 0, 64);
			sample_all();
			assert_ok(map(first, count, to, MAP_READ, nothing));
			settle();
			/* filling in what was invalid needs no flush */
			assert_int_equal(host_flushes(), 0);
			end();
		}
	}
}

static void test_largest_blocks(void **state)
{
	struct translation t;

	(void)state;
	begin(&host_format_wide, 0, 0);
	assert_ok(paging_map(&w.paging, &(struct mapping){ 0x3ffff000, hpa(0x3ffff000), 0x80202000, RWX }));
	assert_ok(paging_walk(&w.paging, 0x3ffff000, &t));
	assert_int_equal(t.size, 1ull << 12);
	assert_ok(paging_walk(&w.paging, 0x40000000 + 12345, &t));
	assert_int_equal(t.size, 1ull << 30);
	assert_int_equal(t.to.v, 0x40000000 + 12345);
	assert_int_equal(t.flags, RWX);
	assert_ok(paging_walk(&w.paging, 0xc0000000, &t));
	assert_int_equal(t.size, 1ull << 21);
	assert_ok(paging_walk(&w.paging, 0xc0200fff, &t));
	assert_int_equal(t.size, 1ull << 12);
	assert_err(paging_walk(&w.paging, 0xc0201000, &t), ERR_NOT_FOUND);
	assert_err(paging_walk(&w.paging, 0x3fffefff, &t), ERR_NOT_FOUND);
	assert_err(paging_walk(&w.paging, UINT64_MAX, &t), ERR_NOT_FOUND);
	/* the two root pages, two tables for the page before, two for what is after */
	assert_int_equal(w.pool.used - 1, 2 + 2 + 2);
	end();
}

/* map -> cut + unmap -> map back: every hole of the small format, without a page left. */
static void hole(unsigned first, unsigned count, uint32_t flags)
{
	uint32_t used, cut_used;
	void **chain;

	begin(&host_format_small, 0, 64);
	sample_all();
	assert_ok(map(0, 64, 0x400000, flags, nothing));
	settle();
	used = w.pool.used;
	assert_ok(cut(first, count));
	settle();
	cut_used = w.pool.used;
	unmap(first, count);
	assert_int_equal(w.pool.used, cut_used);

	chain = drain(0);
	assert_ok(map(first, count, 0x400000 + first * PAGE_SIZE, flags, span_of(0, 64)));
	settle();
	refill(chain);
	assert_int_equal(w.pool.used, used);
	end();
}

static void test_every_hole_filled_again(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 64; first++) {
		for (unsigned count = 1; count <= 64 - first; count++)
			hole(first, count, MAP_READ | MAP_WRITE);
	}
}

/* Two holes next to each other share a table; the one needs it when the other is filled. */
static void test_neighbouring_holes(void **state)
{
	void **chain;
	uint32_t used;

	(void)state;
	begin(&host_format_small, 0, 64);
	sample_all();
	assert_ok(map(0, 64, 0, RWX, nothing));
	settle();
	used = w.pool.used;
	for (unsigned first = 20; first < 24; first += 2) {
		assert_ok(cut(first, 2));
		settle();
		unmap(first, 2);
	}
	/* merge leaves the empty table to them */
	merge(0, 64);
	chain = drain(0);
	for (unsigned first = 20; first < 24; first += 2) {
		assert_ok(map(first, 2, first * PAGE_SIZE, RWX, span_of(0, 64)));
		settle();
	}
	refill(chain);
	assert_int_equal(w.pool.used, used);
	end();
}

/* One page short at every pool_take: cut changes no translation, and merge undoes it. */
static void test_cut_without_memory(void **state)
{
	(void)state;
	for (uint32_t left = 0; left < 5; left++) {
		uint32_t used;
		void **chain;
		err_t e;

		begin(&host_format_small, 0, 64);
		sample_all();
		assert_ok(map(0, 64, 0, RWX, nothing));
		settle();
		used = w.pool.used;
		chain = drain(left);
		e = cut(5, 40);
		assert_int_equal(e, left < 4 ? ERR_NO_MEMORY : OK);
		settle();
		merge(0, 64);
		refill(chain);
		assert_int_equal(w.pool.used, used);
		end();
	}
}

/* The same for map over what is there: outside it nothing changes, and it can be unmapped. */
static void test_map_without_memory(void **state)
{
	uint32_t left = 0;
	err_t e;

	(void)state;
	do {
		void **chain;

		begin(&host_format_small, 0, 64);
		sample_all();
		assert_ok(map(0, 32, 0, RWX, nothing));
		settle();
		assert_ok(cut(14, 40));
		settle();
		chain = drain(left);
		e = map(14, 40, 0x401000, MAP_READ, nothing);
		if (e == OK) {
			settle();
		} else {
			assert_int_equal(e, ERR_NO_MEMORY);
			unmap_half(14, 40);
		}
		refill(chain);
		end();
		left++;
	} while (e != OK);
	/* blocks of 16 and of 4 pages, in the way at first, are pages at last */
	assert_true(left > 6);
}

/* Uncut, the map fails after it broke blocks: those are flushed all the same. */
static void test_broken_is_flushed_on_failure(void **state)
{
	void **chain;

	(void)state;
	begin(&host_format_small, 0, 64);
	sample_all();
	assert_ok(map(0, 64, 0, RWX, nothing));
	settle();
	chain = drain(0);
	assert_err(map(0, 40, 0x400000, MAP_READ, nothing), ERR_NO_MEMORY);
	refill(chain);
	memset(&w.next[0], 0, 32 * sizeof(w.next[0]));
	memcpy(&w.next[32], &w.now[32], 32 * sizeof(w.next[0]));
	settle();
	end();
}

static void test_init_without_memory(void **state)
{
	struct paging p = { .format = &host_format_wide, .pool = &w.pool };
	void **chain;

	(void)state;
	begin(&host_format_small, 0, 64);
	chain = drain(1);
	assert_err(paging_init(&p), ERR_NO_MEMORY);
	refill(chain);
	end();
}

/* What agrees already stays: nothing is split, nothing is flushed. */
static void test_map_again(void **state)
{
	uint32_t used;

	(void)state;
	begin(&host_format_small, 0, 64);
	sample_all();
	assert_ok(map(0, 64, 0, RWX, nothing));
	settle();
	used = w.pool.used;
	assert_ok(map(7, 23, 7 * PAGE_SIZE, RWX, nothing));
	settle();
	assert_int_equal(host_flushes(), 0);
	assert_int_equal(w.pool.used, used);
	end();
}

/* What is replaced is broken all at once: one flush, when no block crosses an edge. */
static void test_replace_flushes_once(void **state)
{
	(void)state;
	begin(&host_format_small, 0, 64);
	sample_all();
	assert_ok(map(0, 64, 0, RWX, nothing));
	settle();
	assert_ok(map(0, 64, 0x401000, RWX, nothing));
	settle();
	assert_int_equal(host_flushes(), 1);
	end();
}

/* A collapse over several levels is one break, and never crosses the edges given. */
static void test_merge_edges(void **state)
{
	struct translation t;

	(void)state;
	begin(&host_format_small, 0, 64);
	sample_all();
	for (unsigned page = 0; page < 64; page++) {
		assert_ok(map(page, 1, page * PAGE_SIZE, RWX, nothing));
		settle();
	}
	merge(1, 18);
	assert_ok(paging_walk(&w.paging, 0, &t));
	assert_int_equal(t.size, PAGE_SIZE);
	assert_ok(paging_walk(&w.paging, 4 * PAGE_SIZE, &t));
	assert_int_equal(t.size, 4 * PAGE_SIZE);
	assert_ok(paging_walk(&w.paging, 16 * PAGE_SIZE, &t));
	assert_int_equal(t.size, PAGE_SIZE);
	assert_int_equal(host_flushes(), 3);
	merge(16, 48);
	assert_ok(paging_walk(&w.paging, 16 * PAGE_SIZE, &t));
	assert_int_equal(t.size, 16 * PAGE_SIZE);
	assert_int_equal(host_flushes(), 6);
	end();
}

/* Different permissions or a gap in the output addresses: not one block. */
static void test_not_uniform(void **state)
{
	uint32_t used;

	(void)state;
	begin(&host_format_small, 0, 64);
	sample_all();
	assert_ok(map(0, 4, 0, RWX, nothing));
	settle();
	assert_ok(map(2, 1, 2 * PAGE_SIZE, MAP_READ, nothing));
	settle();
	used = w.pool.used;
	merge(0, 64);
	assert_int_equal(w.pool.used, used);
	assert_ok(map(2, 1, 9 * PAGE_SIZE, RWX, span_of(0, 64)));
	settle();
	assert_int_equal(w.pool.used, used);
	/* consecutive, but to where a block of four cannot go */
	assert_ok(map(0, 4, 5 * PAGE_SIZE, RWX, span_of(0, 64)));
	settle();
	assert_int_equal(w.pool.used, used);
	assert_ok(map(0, 4, 8 * PAGE_SIZE, RWX, span_of(0, 64)));
	settle();
	assert_int_equal(w.pool.used, used - 1);
	end();
}

static void test_range(void **state)
{
	const uint64_t end_of = host_format_small.end;

	(void)state;
	begin(&host_format_small, 0, 64);
	assert_err(paging_map(&w.paging, &(struct mapping){ end_of - PAGE_SIZE, hpa(0), 2 * PAGE_SIZE, RWX }), ERR_RANGE);
	assert_err(paging_map(&w.paging, &(struct mapping){ end_of, hpa(0), PAGE_SIZE, RWX }),
		   ERR_RANGE);
	assert_err(paging_map(&w.paging, &(struct mapping){ -PAGE_SIZE, hpa(0), 2 * PAGE_SIZE, RWX }), ERR_RANGE);
	assert_err(paging_map(&w.paging, &(struct mapping){ 0, hpa(0), 0, RWX }), ERR_RANGE);
	assert_err(paging_cut(&w.paging, (struct span){ end_of, PAGE_SIZE }), ERR_RANGE);
	assert_int_equal(w.pool.used, 2);
	end();
}

static void test_bugs(void **state)
{
	(void)state;
	begin(&host_format_small, 0, 64);
	assert_ok(map(0, 64, 0, RWX, nothing));
	settle();
	EXPECT_BUG(paging_unmap(&w.paging, span_of(3, 20)));
	EXPECT_BUG(paging_unmap(&w.paging, span_of(60, 5)));
	EXPECT_BUG(paging_unmap(&w.paging, (struct span){ 8, PAGE_SIZE }));
	EXPECT_BUG(paging_merge(&w.paging, span_of(60, 5)));
	EXPECT_BUG((void)!paging_cut(&w.paging, (struct span){ 8, PAGE_SIZE }));
	EXPECT_BUG((void)!paging_map(&w.paging, &(struct mapping){ 8, hpa(0), PAGE_SIZE, RWX }));
	EXPECT_BUG((void)!paging_map(&w.paging, &(struct mapping){ 0, hpa(8), PAGE_SIZE, RWX }));
	end();
}

/* The pages that tables built at once for what is mapped now would use. */
static uint32_t fresh_pages(void)
{
	static _Alignas(4096) uint8_t other_memory[64 * 4096];
	struct pool pool;
	struct paging p = w.paging;
	uint32_t used;

	assert_ok(pool_init(&pool, other_memory, hpa(0xc0000000), sizeof(other_memory)));
	p.pool = &pool;
	p.tag = 9;
	assert_ok(paging_init(&p));
	for (unsigned i = 0; i < w.pages; i++) {
		if (w.now[i].flags)
			assert_ok(paging_map(&p, &(struct mapping){ address_of(i), hpa(w.now[i].to), PAGE_SIZE,
								   w.now[i].flags }));
	}
	paging_merge(&p, (struct span){ 0, w.format.end });
	used = pool.used;
	paging_free(&p);
	assert_int_equal(pool.used, 1);
	return used;
}

static uint32_t random_flags(void)
{
	static const uint32_t flags[] = { RWX, RWX, MAP_READ, MAP_READ | MAP_WRITE | MAP_DEVICE };

	return flags[test_below(&w.seed, ARRAY_SIZE(flags))];
}

/* In place, or shifted by whole blocks or by pages. */
static uint64_t random_target(unsigned first)
{
	static const uint64_t shifts[] = { 0, 0, 0, 1ull << 30, 2ull << 21, 3 * PAGE_SIZE };

	return address_of(first) + shifts[test_below(&w.seed, ARRAY_SIZE(shifts))];
}

static void random_map(unsigned first, unsigned count, struct span merge)
{
	uint64_t to = random_target(first);
	uint32_t flags = random_flags();
	void **chain = drain(test_below(&w.seed, 4) ? w.pool.pages : test_below(&w.seed, 3));
	/* so that, if it ends half-way, it can be unmapped */
	err_t e = cut(first, count);

	if (e == OK) {
		e = map(first, count, to, flags, merge);
		if (e != OK)
			unmap_half(first, count);
	}
	settle();
	refill(chain);
	assert_true(e == OK || (chain && e == ERR_NO_MEMORY));
}

static void random_hole(unsigned first, unsigned count)
{
	if (cut(first, count) != OK)
		fail_msg("no page left");
	settle();
	unmap(first, count);
}

static void random_step(void)
{
	unsigned first = test_below(&w.seed, w.pages);
	/* short ranges more often than long ones */
	unsigned most = 1 + test_below(&w.seed, w.pages - first);
	unsigned count = 1 + test_below(&w.seed, most);

	switch (test_below(&w.seed, 6)) {
	case 0:
	case 1:
		random_map(first, count, nothing);
		break;
	case 2:
		random_map(first, count, span_of(0, w.pages));
		break;
	case 3:
	case 4:
		random_hole(first, count);
		break;
	default:
		merge(first, count);
		break;
	}
}

/* Everything mapped over with one thing, and merged, is what a fresh build is. */
static void random_again(uint32_t whole_used)
{
	assert_ok(map(0, w.pages, w.base, RWX, span_of(0, w.pages)));
	settle();
	assert_int_equal(w.pool.used, whole_used);
}

static void test_random_small(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		begin(&host_format_small, 0, 64);
		w.seed = seed;
		sample_all();
		for (unsigned i = 0; i < 120; i++)
			random_step();
		/* no table is empty now, so merge leaves what a fresh build has */
		for (unsigned page = 0; page < 64; page += 4) {
			if (!w.now[page].flags)
				assert_ok(map(page, 1, page * PAGE_SIZE, RWX, nothing));
			settle();
		}
		merge(0, 64);
		assert_int_equal(w.pool.used - 1, fresh_pages() - 1);
		random_again(2);
		end();
	}
}

/* 8 MiB on either side of a 1 GiB edge. */
static void random_large(const struct paging_format *format, unsigned seed, unsigned steps)
{
	const uint64_t around = 0x40000000, half = MAX_PAGES / 2 * PAGE_SIZE;
	uint32_t used;

	begin(format, around - half, MAX_PAGES);
	w.seed = seed;
	w.stride = 61;
	for (w.samples = 0; w.samples < 20; w.samples++)
		w.sample[w.samples] = test_below(&w.seed, MAX_PAGES);
	assert_ok(map(0, MAX_PAGES, w.base, RWX, nothing));
	settle();
	used = w.pool.used;
	for (unsigned i = 0; i < steps; i++)
		random_step();
	random_again(used);
	end();
}

static void test_random_wide(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 3; seed++)
		random_large(&host_format_wide, seed, 60);
}

static void test_random_arm64(void **state)
{
	(void)state;
	for (unsigned parange = 0; parange < 6; parange++) {
		struct paging_format format;
		uint64_t vtcr;

		assert_ok(stage2_format(parange, &format, &vtcr));
		random_large(&format, parange + 1, 60);
	}
}

static void test_random_npt(void **state)
{
	struct paging_format format;

	(void)state;
	for (unsigned phys_bits = 36; phys_bits <= 52; phys_bits += 8) {
		assert_ok(npt_format(phys_bits, &format));
		random_large(&format, phys_bits, 60);
	}
}

/* A hole in a block of 1 GiB, as a cell makes it in the root's memory. */
static void test_hole_in_a_large_block(void **state)
{
	const struct span gib = { 0x40000000, 1ull << 30 };
	const struct span part = { 0x5fe01000, 0x600000 };
	struct paging_format format;
	struct translation t;
	uint32_t used;
	uint64_t vtcr;

	(void)state;
	assert_ok(stage2_format(2, &format, &vtcr));
	begin(&format, 0, 0);
	assert_ok(paging_map(&w.paging, &(struct mapping){ gib.start, hpa(gib.start), gib.size, RWX }));
	used = w.pool.used;
	assert_ok(paging_cut(&w.paging, part));
	assert_int_equal(w.pool.used - used, 3);
	paging_unmap(&w.paging, part);
	assert_ok(paging_walk(&w.paging, part.start - 1, &t));
	assert_err(paging_walk(&w.paging, part.start, &t), ERR_NOT_FOUND);
	assert_err(paging_walk(&w.paging, span_last(part), &t), ERR_NOT_FOUND);
	assert_ok(paging_walk(&w.paging, span_last(part) + 1, &t));
	/* three splits, one unmap: no flush for each page */
	assert_int_equal(host_flushes(), 4);
	assert_ok(paging_map(&w.paging, &(struct mapping){ part.start, hpa(part.start), part.size, RWX }));
	paging_merge(&w.paging, gib);
	assert_ok(paging_walk(&w.paging, part.start, &t));
	assert_int_equal(t.size, gib.size);
	assert_int_equal(w.pool.used, used);
	end();
}

/* The model itself: what it must find wrong, it does. */
static uint64_t *entry_of_page(unsigned page)
{
	uint64_t *root = w.paging.root;
	uint64_t *middle = pool_virt(&w.pool, w.format.address(0, root[page / 16]));
	uint64_t *last = pool_virt(&w.pool, w.format.address(1, middle[page / 4 % 4]));

	return &last[page % 4];
}

static void begin_page(void)
{
	begin(&host_format_small, 0, 64);
	assert_ok(map(21, 1, 0, RWX, nothing));
	host_on_step(NULL, NULL);
	assert_int_equal(find(21, 0).flags, RWX);
}

static void test_model_sees_no_break(void **state)
{
	(void)state;
	begin_page();
	host_write(entry_of_page(21), w.format.leaf(2, hpa(0x5000), RWX));
	assert_non_null(strstr(host_complaint(), "without a break"));
}

static void test_model_sees_no_flush(void **state)
{
	(void)state;
	begin_page();
	host_write(entry_of_page(21), 0);
	/* still held, by the CPU that walked, for the tag it walked with */
	assert_int_equal(find(21, 0).flags, RWX);
	assert_int_equal(find(21, 1).flags, 0);
	arch_tlb_flush_space(w.paging.tag + 1, span_of(0, 64));
	arch_tlb_flush_hypervisor(span_of(0, 64));
	arch_tlb_flush_space(w.paging.tag, span_of(22, 8));
	assert_int_equal(find(21, 0).flags, RWX);
	assert_string_equal(host_complaint(), "");
	host_write(entry_of_page(21), w.format.leaf(2, hpa(0x5000), RWX));
	assert_non_null(strstr(host_complaint(), "made anew"));
	arch_tlb_flush_space(w.paging.tag, span_of(21, 1));
	assert_int_equal(find(21, 0).to, 0x5000);
}

static void test_model_sees_page_given_early(void **state)
{
	uint64_t *table;

	(void)state;
	begin_page();
	table = entry_of_page(20);
	host_write(pool_virt(&w.pool, w.format.address(0, w.paging.root[1])), 0);
	pool_give(&w.pool, table, 1);
	/* page 22 is walked to through the table that is held */
	assert_int_equal(find(22, 0).flags, 0);
	assert_non_null(strstr(host_complaint(), "given back before a flush"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_sees_no_break),
		cmocka_unit_test(test_model_sees_no_flush),
		cmocka_unit_test(test_model_sees_page_given_early),
		cmocka_unit_test(test_map_every_range),
		cmocka_unit_test(test_largest_blocks),
		cmocka_unit_test(test_every_hole_filled_again),
		cmocka_unit_test(test_neighbouring_holes),
		cmocka_unit_test(test_cut_without_memory),
		cmocka_unit_test(test_map_without_memory),
		cmocka_unit_test(test_broken_is_flushed_on_failure),
		cmocka_unit_test(test_init_without_memory),
		cmocka_unit_test(test_map_again),
		cmocka_unit_test(test_replace_flushes_once),
		cmocka_unit_test(test_merge_edges),
		cmocka_unit_test(test_not_uniform),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_bugs),
		cmocka_unit_test(test_hole_in_a_large_block),
		cmocka_unit_test(test_random_small),
		cmocka_unit_test(test_random_wide),
		cmocka_unit_test(test_random_arm64),
		cmocka_unit_test(test_random_npt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
