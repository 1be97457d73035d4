/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads of ID registers, into each general register: the value arrives there, all others stay as
 * they were, and each is one exit. Says `idregs: ok N checks`, or what is wrong.
 */
#include "inmate.h"
#include "arm64/exception.h"
#include "arm64/sysreg.h"

#define MARK 0x5a5a5a5a5a5a5a5aull
#define CPUS_MAX 64u

struct test {
	unsigned int checks, wrong;
	uint64_t cpu;			/* the hypervisor's number of this one */
};

static void expect(struct test *t, const char *what, unsigned int which, uint64_t got, uint64_t want)
{
	t->checks++;
	if (got == want)
		return;
	t->wrong++;
	printk("idregs: wrong: %s %u: 0x%lx, not 0x%lx\n", what, which, got, want);
}

static uint64_t exits(const struct test *t)
{
	return (uint64_t)hypercall(ABI_HC_CPU_INFO, t->cpu, ABI_CPU_INFO_STAT + ABI_STAT_ARM64_SYSREG);
}

/* Into x<n>, with marks in the two registers a and b. */
#define INTO(n, a, b) do { \
	uint64_t value, x, y; \
	__asm__ volatile("mov x" #a ", %3\n\tmov x" #b ", %3\n\tmrs x" #n ", id_aa64isar0_el1\n\t" \
			 "mov %0, x" #n "\n\tmov %1, x" #a "\n\tmov %2, x" #b \
			 : "=r"(value), "=r"(x), "=r"(y) : "r"(MARK) : "x" #n, "x" #a, "x" #b); \
	expect(t, "x", n, value, sysreg_read(id_aa64isar0_el1)); \
	expect(t, "beside x", n, x & y, MARK); \
	reads += 2; \
} while (0)

static unsigned int into_each(struct test *t)
{
	unsigned int reads = 0;

	INTO(0, 1, 30); INTO(1, 0, 2); INTO(2, 1, 3); INTO(3, 2, 4); INTO(4, 3, 5); INTO(5, 4, 6);
	INTO(6, 5, 7); INTO(7, 6, 8); INTO(8, 7, 9); INTO(9, 8, 10); INTO(10, 9, 11); INTO(11, 10, 12);
	INTO(12, 11, 13); INTO(13, 12, 14); INTO(14, 13, 15); INTO(15, 14, 16); INTO(16, 15, 17);
	INTO(17, 16, 18); INTO(18, 17, 19); INTO(19, 18, 20); INTO(20, 19, 21); INTO(21, 20, 22);
	INTO(22, 21, 23); INTO(23, 22, 24); INTO(24, 23, 25); INTO(25, 24, 26); INTO(26, 25, 27);
	INTO(27, 26, 28); INTO(28, 27, 26); INTO(30, 28, 0);
	/* ... and into none */
	__asm__ volatile("mrs xzr, id_aa64isar0_el1");
	return reads + 1;
}

/* The first and the last of them; the last is reserved, which reads as zero. */
static unsigned int at_the_ends(struct test *t)
{
	struct exception_catch c;

	exception_catch(&c);
	(void)sysreg_read(s3_0_c0_c1_0);
	(void)sysreg_read(s3_0_c0_c7_7);
	expect(t, "undefined", 0, c.count, 0);
	expect(t, "reserved", 0, sysreg_read(s3_0_c0_c7_7), 0);
	exception_release();
	return 3;
}

/* Another state at the same level: what an exit must not disturb. */
static void flags_stay(struct test *t)
{
	uint64_t flags;

	__asm__ volatile("cmp xzr, xzr\n\tmrs x9, id_aa64pfr0_el1\n\tmrs %0, nzcv" : "=r"(flags) :: "x9", "cc");
	expect(t, "flags", 0, flags >> 28, 6);
}

void inmate_main(void)
{
	struct test test = { 0 }, *t = &test;
	uint64_t before;
	unsigned int reads;

	while (t->cpu < CPUS_MAX && (int64_t)exits(t) < 0)
		t->cpu++;
	before = exits(t);
	reads = into_each(t);
	expect(t, "exits", reads, exits(t) - before, reads);
	before = exits(t);
	reads = at_the_ends(t);
	expect(t, "exits at the ends", reads, exits(t) - before, reads);
	flags_stay(t);
	if (t->wrong)
		printk("idregs: %u of %u wrong\n", t->wrong, t->checks);
	else
		printk("idregs: ok %u checks\n", t->checks);
	inmate_serve();
}
