// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include "arch/host/host.h"
#include "core/pool.h"

#define PAGES 300u

/* Host-physically at page 3 modulo 16, so that alignment there is not alignment here. */
#define PHYS 0x80003000ull

static _Alignas(4096) uint8_t memory[PAGES * 4096];

static struct pool fresh(void)
{
	struct pool pool;

	memset(memory, 0xa5, sizeof(memory));
	assert_ok(pool_init(&pool, memory, hpa(PHYS), sizeof(memory)));
	return pool;
}

static void *page_at(unsigned n)
{
	return memory + (size_t)n * PAGE_SIZE;
}

/* The address before the pool's first byte; not reckoned as a pointer, which it is not. */
static void *before(void)
{
	return (void *)((uintptr_t)memory - PAGE_SIZE);
}

static void test_init(void **state)
{
	struct pool pool = fresh();

	(void)state;
	assert_int_equal(pool.pages, PAGES);
	assert_int_equal(pool.used, 1);
	assert_err(pool_init(&pool, memory, hpa(PHYS), 0), ERR_NO_MEMORY);
	assert_err(pool_init(&pool, memory, hpa(0), 1ull << 44), ERR_TOO_LARGE);
	EXPECT_BUG((void)!pool_init(&pool, memory + 8, hpa(PHYS), PAGE_SIZE));
	EXPECT_BUG((void)!pool_init(&pool, memory, hpa(PHYS + 8), PAGE_SIZE));
	EXPECT_BUG((void)!pool_init(&pool, memory, hpa(PHYS), PAGE_SIZE + 8));
}

/* Two bits for each page: 16384 pages have one page of bitmaps, one more needs a second. */
static void test_bitmap_size(void **state)
{
	static _Alignas(4096) uint8_t bitmap[2 * 4096];
	struct pool pool;

	(void)state;
	assert_ok(pool_init(&pool, bitmap, hpa(0), 16384 * PAGE_SIZE));
	assert_int_equal(pool.used, 1);
	assert_ok(pool_init(&pool, bitmap, hpa(0), 16385 * PAGE_SIZE));
	assert_int_equal(pool.used, 2);
	assert_ok(pool_init(&pool, bitmap, hpa(0), PAGE_SIZE));
	assert_int_equal(pool.pages - pool.used, 0);
}

static void test_take_zeroed_until_empty(void **state)
{
	struct pool pool = fresh();
	void *page = NULL, *untouched = &pool;

	(void)state;
	for (unsigned n = 1; n < PAGES; n++) {
		assert_ok(pool_take(&pool, 1, 1, &page));
		assert_ptr_equal(page, page_at(n));
		for (unsigned i = 0; i < PAGE_SIZE; i++)
			assert_int_equal(((uint8_t *)page)[i], 0);
	}
	assert_int_equal(pool.used, PAGES);
	assert_err(pool_take(&pool, 1, 1, &untouched), ERR_NO_MEMORY);
	assert_ptr_equal(untouched, &pool);

	/* the only free page is found wherever it is */
	pool_give(&pool, page_at(77), 1);
	assert_err(pool_take(&pool, 2, 1, &untouched), ERR_NO_MEMORY);
	assert_ok(pool_take(&pool, 1, 1, &page));
	assert_ptr_equal(page, page_at(77));
}

static void test_alignment_is_physical(void **state)
{
	struct pool pool = fresh();

	(void)state;
	for (uint32_t align = 1; align <= 64; align *= 2) {
		void *pages;

		assert_ok(pool_take(&pool, 3, align, &pages));
		assert_int_equal(pool_phys(&pool, pages).v % (align * PAGE_SIZE), 0);
	}
}

static void test_give_only_what_was_taken(void **state)
{
	struct pool pool = fresh();
	void *a, *b;

	(void)state;
	assert_ok(pool_take(&pool, 4, 1, &a));
	assert_ok(pool_take(&pool, 2, 1, &b));
	EXPECT_BUG(pool_give(&pool, a, 3));
	EXPECT_BUG(pool_give(&pool, a, 5));
	EXPECT_BUG(pool_give(&pool, a, 6));
	EXPECT_BUG(pool_give(&pool, a, 0));
	EXPECT_BUG(pool_give(&pool, (uint8_t *)a + PAGE_SIZE, 3));
	EXPECT_BUG(pool_give(&pool, (uint8_t *)a + 8, 4));
	EXPECT_BUG(pool_give(&pool, memory, 1));
	EXPECT_BUG(pool_give(&pool, before(), 1));
	EXPECT_BUG(pool_give(&pool, memory + sizeof(memory), 1));
	EXPECT_BUG(pool_give(&pool, page_at(PAGES - 1), 1));
	EXPECT_BUG(pool_give(&pool, page_at(PAGES - 1), UINT32_MAX));
	assert_int_equal(pool.used, 7);
	pool_give(&pool, a, 4);
	EXPECT_BUG(pool_give(&pool, a, 4));
	pool_give(&pool, b, 2);
	assert_int_equal(pool.used, 1);
}

static void test_bad_take(void **state)
{
	struct pool pool = fresh();
	void *page;

	(void)state;
	EXPECT_BUG((void)!pool_take(&pool, 0, 1, &page));
	EXPECT_BUG((void)!pool_take(&pool, 1, 0, &page));
	EXPECT_BUG((void)!pool_take(&pool, 1, 3, &page));
	assert_err(pool_take(&pool, UINT32_MAX, 1, &page), ERR_NO_MEMORY);
	assert_err(pool_take(&pool, 1, 1u << 31, &page), ERR_NO_MEMORY);
}

static void test_addresses(void **state)
{
	struct pool pool = fresh();

	(void)state;
	assert_int_equal(pool_phys(&pool, memory + 12345).v, PHYS + 12345);
	assert_ptr_equal(pool_virt(&pool, hpa(PHYS + 12345)), memory + 12345);
	EXPECT_BUG(pool_phys(&pool, before()));
	EXPECT_BUG(pool_phys(&pool, memory + sizeof(memory)));
	EXPECT_BUG(pool_virt(&pool, hpa(PHYS - 1)));
	EXPECT_BUG(pool_virt(&pool, hpa(PHYS + sizeof(memory))));
}

/* What first fit would find in an array of "whose page is it" (0: nobody's). */
static unsigned model_find(const unsigned *owner, unsigned count, unsigned align)
{
	for (unsigned at = 0; at + count <= PAGES; at++) {
		unsigned i = 0;

		if ((PHYS / PAGE_SIZE + at) % align != 0)
			continue;
		while (i < count && owner[at + i] == 0)
			i++;
		if (i == count)
			return at;
	}
	return PAGES;
}

static void random_take(struct pool *pool, unsigned *owner, unsigned id, uint64_t *seed)
{
	unsigned count = 1 + test_below(seed, 12);
	unsigned align = 1u << test_below(seed, 5);
	unsigned at = model_find(owner, count, align);
	void *pages = NULL;

	if (at == PAGES) {
		assert_err(pool_take(pool, count, align, &pages), ERR_NO_MEMORY);
		return;
	}
	assert_ok(pool_take(pool, count, align, &pages));
	assert_ptr_equal(pages, page_at(at));
	for (size_t i = 0; i < count * PAGE_SIZE; i += 64)
		assert_int_equal(((uint8_t *)pages)[i], 0);
	memset(pages, 0xff, count * PAGE_SIZE);
	for (unsigned i = 0; i < count; i++)
		owner[at + i] = id;
}

static void random_give(struct pool *pool, unsigned *owner, uint64_t *seed)
{
	unsigned first = 1 + test_below(seed, PAGES - 1), id = owner[first], count = 0;

	if (id == 0)
		return;
	while (owner[first - 1] == id)
		first--;
	while (first + count < PAGES && owner[first + count] == id)
		owner[first + count++] = 0;
	pool_give(pool, page_at(first), count);
}

static void test_against_model(void **state)
{
	struct pool pool = fresh();
	unsigned owner[PAGES] = { UINT32_MAX };
	uint64_t seed = 1;

	(void)state;
	for (unsigned step = 1; step < 5000; step++) {
		uint32_t used = 0;

		if (test_below(&seed, 5) < 3)
			random_take(&pool, owner, step, &seed);
		else
			random_give(&pool, owner, &seed);
		for (unsigned i = 0; i < PAGES; i++)
			used += owner[i] != 0;
		assert_int_equal(pool.used, used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_bitmap_size),
		cmocka_unit_test(test_take_zeroed_until_empty),
		cmocka_unit_test(test_alignment_is_physical),
		cmocka_unit_test(test_give_only_what_was_taken),
		cmocka_unit_test(test_bad_take),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
