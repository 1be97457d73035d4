// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include "arch/arm64/pure/format.h"
#include "arch/host/host.h"

struct expected {
	unsigned bits;
	unsigned levels;
	unsigned root_entries;
	unsigned root_pages;
	uint64_t vtcr;
};

/* By hand from DDI0487: RES1 bit 31, PS, TG0 4 KiB, SH0 inner, ORGN0 IRGN0 write-back, SL0, T0SZ. */
static const struct expected expected[] = {
	{ 32, 3, 4, 1, 0x80003560 },
	{ 36, 3, 64, 1, 0x8001355c },
	{ 40, 3, 1024, 2, 0x80023558 },
	{ 42, 3, 4096, 8, 0x80033556 },
	{ 44, 4, 32, 1, 0x80043594 },
	{ 48, 4, 512, 1, 0x80053590 },
	{ 48, 4, 512, 1, 0x80053590 },
	{ 48, 4, 512, 1, 0x80053590 },
};

static const uint8_t shifts[] = { 39, 30, 21, 12 };

static void check_geometry(const struct paging_format *f, const struct expected *e)
{
	unsigned first = 4 - e->levels;

	assert_int_equal(f->levels, e->levels);
	assert_int_equal(f->root_pages, e->root_pages);
	assert_int_equal(f->end, 1ull << e->bits);
	assert_null(f->write);
	for (unsigned i = 0; i < f->levels; i++) {
		assert_int_equal(f->level[i].shift, shifts[first + i]);
		assert_int_equal(f->level[i].entries, i == 0 ? e->root_entries : 512);
		/* no blocks of 512 GiB */
		assert_int_equal(f->level[i].leaf, first + i != 0);
	}
	/* the root reaches exactly to the end and fits its pages */
	assert_int_equal((uint64_t)f->level[0].entries << f->level[0].shift, f->end);
	assert_true(f->level[0].entries * 8u <= f->root_pages * PAGE_SIZE);
	assert_true(f->root_pages <= 16);
}

static void test_stage2_geometry(void **state)
{
	(void)state;
	for (unsigned parange = 0; parange < ARRAY_SIZE(expected); parange++) {
		struct paging_format f;
		uint64_t vtcr;

		assert_ok(stage2_format(parange, &f, &vtcr));
		check_geometry(&f, &expected[parange]);
		assert_int_equal(vtcr, expected[parange].vtcr);
	}
}

static void test_stage2_reserved(void **state)
{
	(void)state;
	for (unsigned parange = 8; parange < 20; parange++) {
		struct paging_format f = { .levels = 77 };
		uint64_t vtcr = 77;

		assert_err(stage2_format(parange, &f, &vtcr), ERR_UNSUPPORTED);
		assert_int_equal(f.levels, 77);
		assert_int_equal(vtcr, 77);
	}
}

static void test_stage1_geometry(void **state)
{
	static const uint64_t ps[] = { 0, 1, 2, 3, 4, 5, 5, 5 };
	struct paging_format f;

	(void)state;
	stage1_format(&f);
	check_geometry(&f, &expected[5]);
	for (unsigned parange = 0; parange < ARRAY_SIZE(ps); parange++)
		assert_int_equal(stage1_tcr(parange), 0x80803510 | ps[parange] << 16);
	assert_int_equal(STAGE1_MAIR, 0x04ff);
}

/* Leaf flags of stage 2 are independent of each other. */
static void check_stage2_codec(const struct paging_format *f)
{
	unsigned last = f->levels - 1;

	for (unsigned level = 0; level <= last; level++) {
		if (!f->level[level].leaf)
			continue;
		for (uint32_t flags = 0; flags < 16; flags++) {
			uint64_t to = 0x123456789000ull & ~((1ull << f->level[level].shift) - 1);
			uint64_t entry = f->leaf(level, hpa(to), flags);

			assert_true(f->present(entry));
			assert_false(f->is_table(level, entry));
			assert_int_equal(f->address(level, entry).v, to);
			assert_int_equal(f->flags(entry), flags);
			assert_int_equal(entry & 3, level == last ? 3 : 1);
		}
	}
	for (unsigned level = 0; level < last; level++)
		assert_true(f->is_table(level, f->table(hpa(0x123456789000))));
}

static void check_stage2_bounds(const struct paging_format *f)
{
	EXPECT_BUG(f->leaf(f->levels - 1, hpa(1ull << 48), MAP_READ));
	EXPECT_BUG(f->leaf(f->levels - 1, hpa(0x800), MAP_READ));
	EXPECT_BUG(f->table(hpa(1ull << 48)));
}

static void test_stage2_codec(void **state)
{
	(void)state;
	for (unsigned parange = 0; parange < ARRAY_SIZE(expected); parange++) {
		struct paging_format f;
		uint64_t vtcr;

		assert_ok(stage2_format(parange, &f, &vtcr));
		assert_false(f.present(0));
		check_stage2_codec(&f);
		check_stage2_bounds(&f);
	}
}

static void test_stage2_constants(void **state)
{
	const uint32_t all = MAP_READ | MAP_WRITE | MAP_EXEC;
	struct paging_format f;
	uint64_t vtcr;

	(void)state;
	assert_ok(stage2_format(2, &f, &vtcr));
	/* AF, inner shareable, S2AP read and write, MemAttr write-back, page */
	assert_int_equal(f.leaf(2, hpa(0x40001000), all), 0x400017ff);
	assert_int_equal(f.leaf(2, hpa(0x40001000), MAP_READ), 0x004000004000177f);
	/* device-nGnRE, not executable */
	assert_int_equal(f.leaf(2, hpa(0x09000000), MAP_READ | MAP_WRITE | MAP_DEVICE),
			 0x00400000090007c7);
	/* blocks of 2 MiB and 1 GiB */
	assert_int_equal(f.leaf(1, hpa(0x40200000), all), 0x402007fd);
	assert_int_equal(f.leaf(0, hpa(0x40000000), all), 0x400007fd);
	assert_int_equal(f.table(hpa(0x40001000)), 0x40001003);

	assert_ok(stage2_format(5, &f, &vtcr));
	assert_int_equal(f.leaf(3, hpa(0x40001000), all), 0x400017ff);
	assert_int_equal(f.leaf(2, hpa(0x40200000), all), 0x402007fd);
	assert_int_equal(f.leaf(1, hpa(0x40000000), all), 0x400007fd);
	/* above 4 GiB */
	assert_int_equal(f.leaf(3, hpa(0xfffffffff000), all), 0xfffffffff7ff);
}

static bool stage1_allows(uint32_t flags)
{
	static const uint32_t allowed[] = {
		MAP_READ, MAP_READ | MAP_WRITE, MAP_READ | MAP_EXEC, MAP_READ | MAP_DEVICE,
		MAP_READ | MAP_WRITE | MAP_DEVICE,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (allowed[i] == flags)
			return true;
	}
	return false;
}

static void check_stage1_leaf(const struct paging_format *f, unsigned level, uint32_t flags)
{
	uint64_t entry;

	if (!stage1_allows(flags)) {
		EXPECT_BUG(f->leaf(level, hpa(0x40000000), flags));
		return;
	}
	entry = f->leaf(level, hpa(0x40000000), flags);
	assert_true(f->present(entry));
	assert_false(f->is_table(level, entry));
	assert_int_equal(f->address(level, entry).v, 0x40000000);
	assert_int_equal(f->flags(entry), flags);
}

static void test_stage1_codec(void **state)
{
	struct paging_format f;

	(void)state;
	stage1_format(&f);
	for (unsigned level = 1; level < 4; level++) {
		for (uint32_t flags = 0; flags < 16; flags++)
			check_stage1_leaf(&f, level, flags);
	}
	for (unsigned level = 0; level < 3; level++)
		assert_true(f.is_table(level, f.table(hpa(0x40001000))));
}

static void test_stage1_constants(void **state)
{
	struct paging_format f;

	(void)state;
	stage1_format(&f);
	/* code: AP[2], AP[1] (RES1), executable */
	assert_int_equal(f.leaf(3, hpa(0x40001000), MAP_READ | MAP_EXEC), 0x400017c3);
	/* constants, data, device */
	assert_int_equal(f.leaf(3, hpa(0x40001000), MAP_READ), 0x00400000400017c3);
	assert_int_equal(f.leaf(3, hpa(0x40001000), MAP_READ | MAP_WRITE), 0x0040000040001743);
	assert_int_equal(f.leaf(3, hpa(0x09000000), MAP_READ | MAP_WRITE | MAP_DEVICE),
			 0x0040000009000747);
	assert_int_equal(f.leaf(2, hpa(0x40200000), MAP_READ | MAP_WRITE), 0x0040000040200741);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stage2_geometry),
		cmocka_unit_test(test_stage2_reserved),
		cmocka_unit_test(test_stage1_geometry),
		cmocka_unit_test(test_stage2_codec),
		cmocka_unit_test(test_stage2_constants),
		cmocka_unit_test(test_stage1_codec),
		cmocka_unit_test(test_stage1_constants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
