// SPDX-License-Identifier: GPL-2.0-only
/* The nested and the hypervisor's own table format, entry by entry and as core/paging uses them. */
#include "test.h"

#include "arch/host/host.h"
#include "arch/tlb.h"
#include "arch/x86/pure/format.h"
#include "core/paging.h"

#define POOL_PAGES 64u
#define RW (MAP_READ | MAP_WRITE)
#define RX (MAP_READ | MAP_EXEC)
#define RWX (MAP_READ | MAP_WRITE | MAP_EXEC)

#define MIB 0x100000ull
#define GIB 0x40000000ull

static _Alignas(4096) uint8_t memory[POOL_PAGES * 4096];

static void check_geometry(const struct paging_format *f, unsigned bits)
{
	static const uint8_t shifts[] = { 39, 30, 21, 12 };
	uint64_t entry = 0;

	assert_int_equal(f->levels, 4);
	assert_int_equal(f->root_pages, 1);
	assert_int_equal(f->end, 1ull << bits);
	f->write(&entry, 0x1234);
	assert_int_equal(entry, 0x1234);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(f->level[i].shift, shifts[i]);
		assert_int_equal(f->level[i].entries, 512);
		/* no leaves of 512 GiB */
		assert_int_equal(f->level[i].leaf, i != 0);
	}
}

static void test_npt_geometry(void **state)
{
	struct paging_format f;

	(void)state;
	for (unsigned bits = 32; bits <= 52; bits++) {
		assert_ok(npt_format(bits, &f));
		check_geometry(&f, bits < 48 ? bits : 48);
	}
	f.levels = 77;
	assert_err(npt_format(31, &f), ERR_UNSUPPORTED);
	assert_err(npt_format(53, &f), ERR_UNSUPPORTED);
	assert_err(npt_format(0, &f), ERR_UNSUPPORTED);
	assert_int_equal(f.levels, 77);
}

static void test_host_geometry(void **state)
{
	struct paging_format f;

	(void)state;
	f = host_paging;
	check_geometry(&f, 48);
}

/* What the format takes goes in and comes out again, and nothing that would write to an entry is left to hardware. */
static void check_leaf(const struct paging_format *f, unsigned level, uint32_t flags)
{
	uint64_t to = 0xedcba98765000 & ~((1ull << f->level[level].shift) - 1);
	uint64_t entry = f->leaf(level, hpa(to), flags);

	assert_true(f->present(entry));
	assert_false(f->is_table(level, entry));
	assert_int_equal(f->address(level, entry).v, to);
	assert_int_equal(f->flags(entry), flags);
	/* accessed and dirty; not global */
	assert_int_equal(entry & 0x160, 0x060);
	/* PS, which at the last level would be PAT */
	assert_int_equal(entry >> 7 & 1, level != 3);
}

static void check_flags(const struct paging_format *f, unsigned level, uint32_t flags, bool allowed)
{
	if (allowed)
		check_leaf(f, level, flags);
	else
		EXPECT_BUG(f->leaf(level, hpa(0), flags));
}

static void check_tables(const struct paging_format *f)
{
	assert_false(f->present(0));
	for (unsigned level = 0; level < 3; level++) {
		uint64_t entry = f->table(hpa(0xedcba98765000));

		assert_true(f->present(entry));
		assert_true(f->is_table(level, entry));
		assert_int_equal(f->address(level, entry).v, 0xedcba98765000);
	}
	EXPECT_BUG(f->leaf(3, hpa(1ull << 52), MAP_READ));
	EXPECT_BUG(f->leaf(3, hpa(0x800), MAP_READ));
	EXPECT_BUG(f->table(hpa(1ull << 52)));
	EXPECT_BUG(f->table(hpa(0x40)));
}

static void test_npt_codec(void **state)
{
	struct paging_format f;

	(void)state;
	assert_ok(npt_format(48, &f));
	for (unsigned level = 1; level < 4; level++)
		for (uint32_t flags = 0; flags < 16; flags++)
			check_flags(&f, level, flags, (flags & MAP_READ) != 0);
	check_tables(&f);
}

static bool host_allows(uint32_t flags)
{
	return flags == MAP_READ || flags == RW || flags == RX || flags == (MAP_READ | MAP_DEVICE) ||
	       flags == (RW | MAP_DEVICE);
}

static void test_host_codec(void **state)
{
	struct paging_format f;

	(void)state;
	f = host_paging;
	for (unsigned level = 1; level < 4; level++)
		for (uint32_t flags = 0; flags < 16; flags++)
			check_flags(&f, level, flags, host_allows(flags));
	check_tables(&f);
}

/* By hand from APM 2, 5.3.3: NX 63, AVL 9, PS 7, D 6, A 5, PCD 4, PWT 3, US 2, RW 1, P 0. */
static void test_constants(void **state)
{
	struct paging_format f;

	(void)state;
	assert_ok(npt_format(40, &f));
	assert_int_equal(f.leaf(3, hpa(0x40001000), RWX), 0x40001067);
	assert_int_equal(f.leaf(3, hpa(0x40001000), RX), 0x40001065);
	assert_int_equal(f.leaf(3, hpa(0x40001000), RW), 0x8000000040001067);
	assert_int_equal(f.leaf(3, hpa(0xfee00000), MAP_READ | MAP_DEVICE), 0x80000000fee00265);
	assert_int_equal(f.leaf(2, hpa(0x40200000), RWX), 0x402000e7);
	assert_int_equal(f.leaf(1, hpa(0x40000000), RWX), 0x400000e7);
	assert_int_equal(f.table(hpa(0x40001000)), 0x40001027);

	f = host_paging;
	assert_int_equal(f.leaf(3, hpa(0x3a001000), RX), 0x3a001061);
	assert_int_equal(f.leaf(3, hpa(0x3a001000), MAP_READ), 0x800000003a001061);
	assert_int_equal(f.leaf(3, hpa(0x3a001000), RW), 0x800000003a001063);
	assert_int_equal(f.leaf(3, hpa(0xfee00000), RW | MAP_DEVICE), 0x80000000fee0007b);
	assert_int_equal(f.leaf(2, hpa(0x3a000000), RW), 0x800000003a0000e3);
	assert_int_equal(f.table(hpa(0x3a001000)), 0x3a001023);
}

struct world {
	struct pool pool;
	struct paging_format format;
	struct paging paging;
};

static void begin(struct world *w, void (*flush)(const struct paging *, struct span))
{
	host_reset();
	assert_ok(pool_init(&w->pool, memory, hpa(0x80000000), sizeof(memory)));
	w->format.write = host_write;
	w->paging = (struct paging){ .format = &w->format, .pool = &w->pool, .flush = flush, .tag = 1 };
	assert_ok(paging_init(&w->paging));
}

static void end(struct world *w)
{
	w->paging.flush(&w->paging, (struct span){ 0, w->format.end });
	paging_free(&w->paging);
	assert_int_equal(w->pool.used, 1);
	assert_string_equal(host_complaint(), "");
}

static void expect_at(const struct paging *p, uint64_t from, uint64_t to, uint32_t flags, uint64_t size)
{
	struct translation t;

	assert_ok(paging_walk(p, from, &t));
	assert_int_equal(t.to.v, to);
	assert_int_equal(t.flags, flags);
	assert_int_equal(t.size, size);
	/* and as a CPU finds it, which keeps what it found */
	assert_ok(host_walk(p, 0, from, &t));
	assert_int_equal(t.to.v, to);
}

/* A cell's memory taken out of Linux's, and given back. */
static void test_npt_hole(void **state)
{
	const struct span gib = { GIB, GIB };
	const struct span cell = { 0x7fc01000, 2 * MIB };
	struct translation t;
	struct world w;
	uint32_t used;

	(void)state;
	assert_ok(npt_format(40, &w.format));
	begin(&w, host_flush_space);
	assert_ok(paging_map(&w.paging, &(struct mapping){ GIB, hpa(GIB), GIB, RWX }));
	used = w.pool.used;
	expect_at(&w.paging, cell.start, cell.start, RWX, GIB);
	assert_ok(paging_cut(&w.paging, cell));
	paging_unmap(&w.paging, cell);
	assert_err(host_walk(&w.paging, 0, cell.start, &t), ERR_NOT_FOUND);
	assert_err(host_walk(&w.paging, 0, span_last(cell), &t), ERR_NOT_FOUND);
	expect_at(&w.paging, cell.start - 1, cell.start - 1, RWX, PAGE_SIZE);
	expect_at(&w.paging, GIB, GIB, RWX, 2 * MIB);
	assert_ok(paging_map(&w.paging, &(struct mapping){ cell.start, hpa(cell.start), cell.size, RWX }));
	paging_merge(&w.paging, gib);
	expect_at(&w.paging, cell.start, cell.start, RWX, GIB);
	assert_int_equal(w.pool.used, used);
	/* the last page there is; none behind it */
	assert_ok(paging_map(&w.paging, &(struct mapping){ (1ull << 40) - PAGE_SIZE, hpa(0), PAGE_SIZE, RW }));
	expect_at(&w.paging, (1ull << 40) - 1, PAGE_MASK, RW, PAGE_SIZE);
	assert_err(paging_map(&w.paging, &(struct mapping){ 1ull << 40, hpa(0), PAGE_SIZE, RW }), ERR_RANGE);
	end(&w);
}

/* The hypervisor's own: image, a device, and a page of Linux's in the upper half. */
static void test_host_tables(void **state)
{
	const uint64_t image = 0x7e0000000000, upper = 0xffffffffc0123000 & ((1ull << 48) - 1);
	struct translation t;
	struct world w;

	(void)state;
	w.format = host_paging;
	begin(&w, host_flush_hypervisor);
	assert_ok(paging_map(&w.paging, &(struct mapping){ image, hpa(0x3a000000), 4 * MIB, RW }));
	assert_ok(paging_cut(&w.paging, (struct span){ image, 0x8000 }));
	assert_ok(paging_map(&w.paging, &(struct mapping){ image, hpa(0x3a000000), 0x8000, RX }));
	assert_ok(paging_map(&w.paging, &(struct mapping){ upper, hpa(0x5123000), PAGE_SIZE, RX }));
	assert_ok(paging_map(&w.paging, &(struct mapping){ 0xfee00000, hpa(0xfee00000), PAGE_SIZE, RW | MAP_DEVICE }));
	assert_ok(host_walk_hypervisor(&w.paging, 1, image + 0x7fff, &t));
	assert_int_equal(t.flags, RX);
	assert_ok(host_walk_hypervisor(&w.paging, 1, image + 0x8000, &t));
	assert_int_equal(t.flags, RW);
	assert_int_equal(t.to.v, 0x3a008000);
	assert_ok(host_walk_hypervisor(&w.paging, 1, image + 2 * MIB, &t));
	assert_int_equal(t.size, 2 * MIB);
	assert_ok(host_walk_hypervisor(&w.paging, 1, upper + 5, &t));
	assert_int_equal(t.to.v, 0x5123005);
	assert_ok(host_walk_hypervisor(&w.paging, 1, 0xfee00000, &t));
	assert_int_equal(t.flags, RW | MAP_DEVICE);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_npt_geometry),
		cmocka_unit_test(test_host_geometry),
		cmocka_unit_test(test_npt_codec),
		cmocka_unit_test(test_host_codec),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_npt_hole),
		cmocka_unit_test(test_host_tables),
	};

	return cmocka_run_group_tests_name("x86_format", tests, NULL, NULL);
}
