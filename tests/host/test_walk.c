// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's own tables, built for each of the modes an x86 processor has, and walked: every
 * address goes where it was mapped, and those beside it nowhere. And the bytes at CS:RIP.
 */
#include "test.h"

#include "arch/x86/pure/walk.h"

#define MEMORY 0x400000u		/* guest-physical, from 0 */
#define HOLE 0x3ff000u			/* its last page cannot be read */
#define FIRST_TABLE 0x100000u

#define P 0x001ull
#define PS 0x080ull
#define PAT_LARGE 0x1000ull
#define AD 0x060ull			/* accessed and dirty */

#define PG (1ull << 31)
#define PE 1ull
#define PSE (1ull << 4)
#define PAE (1ull << 5)
#define LA57 (1ull << 12)
#define LMA (1ull << 10)

static uint8_t memory[MEMORY];
static uint64_t next_table;
static unsigned reads;

static err_t read_memory(void *context, gpa_t at, void *to, size_t size)
{
	assert_ptr_equal(context, memory);
	reads++;
	if (at.v >= HOLE || size > HOLE - at.v)
		return ERR_FAULT;
	/* nobody has to read across pages */
	assert_true((at.v & PAGE_MASK) + size <= PAGE_SIZE);
	memcpy(to, memory + at.v, size);
	return OK;
}

static const struct guest_memory reader = { read_memory, memory };

/* A mode, and where its levels' indices are; level 1 holds pages. */
struct paging_mode {
	const char *name;
	uint64_t cr0, cr4, efer;
	unsigned levels;
	unsigned shift[6], bits[6];
	unsigned entry;
	unsigned largest;			/* level of the largest page */
};

static const struct paging_mode paging_modes[] = {
	{ "32-bit", PG | PE, 0, 0, 2, { 0, 12, 22 }, { 0, 10, 10 }, 4, 1 },
	{ "32-bit, PSE", PG | PE, PSE, 0, 2, { 0, 12, 22 }, { 0, 10, 10 }, 4, 2 },
	{ "PAE", PG | PE, PAE, 0, 3, { 0, 12, 21, 30 }, { 0, 9, 9, 2 }, 8, 2 },
	{ "PAE, PSE has no say", PG | PE, PAE | PSE, 0, 3, { 0, 12, 21, 30 }, { 0, 9, 9, 2 }, 8, 2 },
	{ "4 levels", PG | PE, PAE, LMA, 4, { 0, 12, 21, 30, 39 }, { 0, 9, 9, 9, 9 }, 8, 3 },
	{ "5 levels", PG | PE, PAE | LA57, LMA, 5, { 0, 12, 21, 30, 39, 48 }, { 0, 9, 9, 9, 9, 9 }, 8, 3 },
};

/* PAE's first table has 4 entries and can be at any multiple of 32. */
static uint64_t root_of(const struct paging_mode *p)
{
	return FIRST_TABLE + (p->levels == 3 ? 0xfa0 : 0);
}

static struct guest_mode mode_of(const struct paging_mode *p)
{
	/* what stands beside the address in CR3 (PCID, PCD, PWT) has no say */
	uint64_t noise = p->efer ? 0xfff : p->entry == 8 ? 0x18 : 0xfff;

	return (struct guest_mode){ .cr0 = p->cr0, .cr4 = p->cr4, .efer = p->efer, .cr3 = root_of(p) | noise };
}

static uint64_t get_entry(const struct paging_mode *p, uint64_t at)
{
	uint64_t v = 0;

	memcpy(&v, memory + at, p->entry);
	return v;
}

static void put_entry(const struct paging_mode *p, uint64_t at, uint64_t v)
{
	memcpy(memory + at, &v, p->entry);
}

static uint64_t entry_at(const struct paging_mode *p, unsigned level, uint64_t table, uint64_t linear)
{
	return table + (linear >> p->shift[level]) % (1ull << p->bits[level]) * p->entry;
}

/* An empty machine. */
static void begin(void)
{
	memset(memory, 0, sizeof(memory));
	next_table = FIRST_TABLE + PAGE_SIZE;
	reads = 0;
}

/* The page of `level` that holds `linear` goes to `to`. False: something is there already. */
static bool map(const struct paging_mode *p, unsigned level, uint64_t linear, uint64_t to)
{
	/* where there are no large pages, PS has no say */
	uint64_t noise = AD | (p->largest == 1 ? PS : 0), table = root_of(p), at;

	for (unsigned l = p->levels; l > level; l--) {
		at = entry_at(p, l, table, linear);
		if (!(get_entry(p, at) & P)) {
			put_entry(p, at, next_table | P | noise);
			next_table += PAGE_SIZE;
			assert_true(next_table < HOLE);
		} else if ((get_entry(p, at) & PS) && p->largest > 1) {
			return false;
		}
		table = get_entry(p, at) & 0xffffffffff000;
	}
	at = entry_at(p, level, table, linear);
	if (get_entry(p, at) & P)
		return false;
	if (p->entry == 4 && level == 2)
		put_entry(p, at, (to & 0xffc00000) | (to >> 32 & 0xff) << 13 | PS | P | AD | PAT_LARGE);
	else
		put_entry(p, at, to | P | AD | (level > 1 ? PS | PAT_LARGE : PS));
	return true;
}

static uint64_t page_of(const struct paging_mode *p, unsigned level)
{
	return 1ull << p->shift[level];
}

static uint64_t random_linear(const struct paging_mode *p, uint64_t *seed)
{
	unsigned bits = p->shift[p->levels] + p->bits[p->levels];
	uint64_t linear = test_random(seed) & ((1ull << bits) - 1);

	/* few of the first levels, so that tables are shared */
	if (p->levels > 3)
		linear &= ~(0x1ffull << 39) | (1ull << 47);
	if (p->levels > 3 && (linear & 1ull << (bits - 1)))
		linear |= ~0ull << bits;
	return linear;
}

/* Physical addresses as wide as the format has room for. */
static uint64_t random_target(const struct paging_mode *p, unsigned level, uint64_t *seed)
{
	unsigned bits = p->entry == 8 ? 52 : level == 2 ? 40 : 32;

	return test_random(seed) & ((1ull << bits) - 1) & ~(page_of(p, level) - 1);
}

static void expect_at(const struct paging_mode *p, uint64_t linear, uint64_t where)
{
	struct guest_mode mode = mode_of(p);
	gpa_t at = gpa(0);
	err_t e = walk_linear(&mode, &reader, linear, &at);

	if (e != OK || at.v != where)
		fail_msg("%s: %#llx is at %#llx (error %d), not at %#llx", p->name, (unsigned long long)linear,
			 (unsigned long long)at.v, e, (unsigned long long)where);
}

static void test_every_mode(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(paging_modes); m++) {
		const struct paging_mode *p = &paging_modes[m];

		for (unsigned round = 0; round < 4000; round++) {
			unsigned level = 1 + test_below(&seed, p->largest);
			uint64_t linear = random_linear(p, &seed), to = random_target(p, level, &seed);
			uint64_t page = page_of(p, level);

			if (round % 200 == 0)
				begin();
			if (!map(p, level, linear, to))
				continue;
			expect_at(p, linear, to + (linear & (page - 1)));
			expect_at(p, linear & ~(page - 1), to);
			expect_at(p, linear | (page - 1), to + page - 1);
			reads = 0;
			expect_at(p, linear, to + (linear & (page - 1)));
			assert_int_equal(reads, p->levels - level + 1);
		}
	}
}

static void test_nothing_there(void **state)
{
	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(paging_modes); m++) {
		const struct paging_mode *p = &paging_modes[m];
		struct guest_mode mode = mode_of(p);
		gpa_t at = gpa(77);

		begin();
		assert_true(map(p, 1, 0x40001000, 0x5000));
		assert_err(walk_linear(&mode, &reader, 0x40000fff, &at), ERR_NOT_FOUND);
		assert_err(walk_linear(&mode, &reader, 0x40002000, &at), ERR_NOT_FOUND);
		assert_err(walk_linear(&mode, &reader, 0x80001000, &at), ERR_NOT_FOUND);
		assert_int_equal(at.v, 77);
		expect_at(p, 0x40001234, 0x5234);
		/* beyond what the mode has: never the address it would wrap to */
		reads = 0;
		assert_err(walk_linear(&mode, &reader, 0x40001000 + (p->levels == 5 ? 1ull << 57 : p->levels == 4 ?
				       1ull << 48 : 1ull << 32), &at), ERR_NOT_FOUND);
		assert_int_equal(reads, 0);
	}
}

static void test_sign(void **state)
{
	const struct paging_mode *p = &paging_modes[4];
	struct guest_mode mode = mode_of(p);
	gpa_t at;

	(void)state;
	begin();
	assert_true(map(p, 1, 0xffffffff80001000, 0x7000));
	assert_true(map(p, 1, 0x00007ffffffff000, 0x8000));
	expect_at(p, 0xffffffff80001010, 0x7010);
	expect_at(p, 0x00007fffffffffff, 0x8fff);
	assert_err(walk_linear(&mode, &reader, 0x0000ffff80001010, &at), ERR_NOT_FOUND);
	assert_err(walk_linear(&mode, &reader, 0xffff7ffffffff000, &at), ERR_NOT_FOUND);
	assert_err(walk_linear(&mode, &reader, 0x0000800000000000, &at), ERR_NOT_FOUND);
}

static void test_without_paging(void **state)
{
	struct guest_mode mode = { .cr0 = PE, .cr4 = PSE, .cr3 = FIRST_TABLE };
	gpa_t at;

	(void)state;
	reads = 0;
	assert_ok(walk_linear(&mode, &reader, 0xfee00300, &at));
	assert_int_equal(at.v, 0xfee00300);
	assert_ok(walk_linear(&mode, &reader, 0x123456789, &at));
	assert_int_equal(at.v, 0x23456789);
	assert_int_equal(reads, 0);
}

/* A table where the guest has no memory, at each level. */
static void test_table_out_of_reach(void **state)
{
	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(paging_modes); m++) {
		const struct paging_mode *p = &paging_modes[m];

		for (unsigned level = p->levels; level >= 1; level--) {
			struct guest_mode mode = mode_of(p);
			uint64_t table = root_of(p);
			gpa_t at;

			begin();
			assert_true(map(p, 1, 0x40001000, 0x5000));
			for (unsigned l = p->levels; l > level + 1; l--)
				table = get_entry(p, entry_at(p, l, table, 0x40001000)) & 0xffffffffff000;
			if (level == p->levels)
				mode.cr3 = HOLE;
			else
				put_entry(p, entry_at(p, level + 1, table, 0x40001000), HOLE | P);
			assert_err(walk_linear(&mode, &reader, 0x40001000, &at), ERR_FAULT);
		}
	}
}

#define CS_LONG (1u << 9)
#define CS_DEFAULT (1u << 10)

static void test_code_bits(void **state)
{
	struct guest_mode mode = { .cr0 = PG | PE, .efer = LMA, .cs.attributes = 0x29b };

	(void)state;
	assert_int_equal(walk_code_bits(&mode), 64);
	mode.cs.attributes = CS_DEFAULT | 0x9b;
	assert_int_equal(walk_code_bits(&mode), 32);
	mode.cs.attributes = 0x9b;
	assert_int_equal(walk_code_bits(&mode), 16);
	/* what was reserved before there was 64-bit mode */
	mode.efer = 0;
	mode.cs.attributes = CS_LONG | 0x9b;
	assert_int_equal(walk_code_bits(&mode), 16);
}

static void fill(uint64_t at, unsigned count, uint8_t first)
{
	for (unsigned i = 0; i < count; i++)
		memory[at + i] = (uint8_t)(first + i);
}

static void expect_code(const struct guest_mode *mode, unsigned count)
{
	uint8_t code[INSN_MAX] = { 0 };
	unsigned size = 77;

	assert_ok(walk_fetch(mode, &reader, code, &size));
	assert_int_equal(size, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(code[i], 0x10 + i);
}

static void test_fetch_across_pages(void **state)
{
	const struct paging_mode *p = &paging_modes[4];
	struct guest_mode mode = mode_of(p);
	uint8_t code[INSN_MAX];
	unsigned size;

	(void)state;
	mode.cs = (struct segment){ .attributes = CS_LONG, .base = 0x123000 };
	for (unsigned before = 1; before <= INSN_MAX + 1; before++) {
		unsigned here = before < INSN_MAX ? before : INSN_MAX;

		begin();
		mode.rip = 0xffffffff80002000 - before;
		assert_err(walk_fetch(&mode, &reader, code, &size), ERR_NOT_FOUND);
		assert_true(map(p, 1, 0xffffffff80001000, 0x5000));
		fill(0x6000 - before, here, 0x10);
		expect_code(&mode, here);
		/* the second page is elsewhere */
		assert_true(map(p, 1, 0xffffffff80002000, 0x9000));
		fill(0x9000, INSN_MAX - here, (uint8_t)(0x10 + here));
		expect_code(&mode, INSN_MAX);
	}
	mode.cr3 = HOLE;
	assert_err(walk_fetch(&mode, &reader, code, &size), ERR_FAULT);
}

/* 32-bit linear addresses wrap, in paging mode too. */
static void test_fetch_around_zero(void **state)
{
	const struct paging_mode *p = &paging_modes[1];
	struct guest_mode mode = mode_of(p);

	(void)state;
	begin();
	assert_true(map(p, 1, 0xfffff000, 0x5000));
	assert_true(map(p, 1, 0, 0x8000));
	mode.cs = (struct segment){ .attributes = CS_DEFAULT, .base = 0x80000000 };
	mode.rip = 0x7ffffffc;
	fill(0x5ffc, 4, 0x10);
	fill(0x8000, INSN_MAX - 4, 0x14);
	expect_code(&mode, INSN_MAX);
}

static void test_fetch_with_segments(void **state)
{
	struct guest_mode mode = { .cs.base = 0xffff0000, .rip = 0xfff8 };

	(void)state;
	begin();
	/* linear addresses wrap: the last 8 bytes of 4 GiB are not there, the first are */
	assert_err(walk_fetch(&mode, &reader, memory + HOLE, &(unsigned){ 0 }), ERR_FAULT);
	mode.rip = 0x10000;
	fill(0, INSN_MAX, 0x10);
	expect_code(&mode, INSN_MAX);
	mode.cs.base = 0x9f000;
	mode.rip = 0x200;
	fill(0x9f200, INSN_MAX, 0x10);
	expect_code(&mode, INSN_MAX);
	/* one byte is left before what cannot be read */
	mode.cs.base = HOLE - 1;
	mode.rip = 0;
	fill(HOLE - 1, 1, 0x10);
	expect_code(&mode, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mode),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_without_paging),
		cmocka_unit_test(test_table_out_of_reach),
		cmocka_unit_test(test_code_bits),
		cmocka_unit_test(test_fetch_across_pages),
		cmocka_unit_test(test_fetch_around_zero),
		cmocka_unit_test(test_fetch_with_segments),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
