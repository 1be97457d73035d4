// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID in a guest: hardware that has everything (all ones) and hardware that has nothing (all
 * zeroes) are both filtered, at every leaf there is and around it. What is 1 of the first may stay;
 * what is 1 of the second was put in.
 */
#include "test.h"

#include "arch/x86/pure/cpuid.h"
#include "base/types.h"

#define OSXSAVE (1u << 27)
#define OSPKE (1u << 4)
#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE (1u << 22)

static const struct cpuid_answer everything = { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff };
static const struct cpuid_answer nothing;

static struct cpuid_answer ask(uint32_t leaf, uint32_t subleaf, bool root, uint64_t cr4, bool of)
{
	struct cpuid_answer a = of ? everything : nothing;

	cpuid_filter(leaf, subleaf, root, cr4, &a);
	return a;
}

static struct cpuid_answer hidden_in(uint32_t leaf, uint32_t subleaf, bool root)
{
	struct cpuid_answer a = ask(leaf, subleaf, root, ~0ull, true);

	return (struct cpuid_answer){ ~a.eax, ~a.ebx, ~a.ecx, ~a.edx };
}

/* A bit a list of which is hidden, by what it means. */
struct bit {
	uint32_t leaf;
	int reg;			/* 0: EAX to 3: EDX */
	int bit;			/* -1: all of the register */
};

static const struct bit from_root[] = {
	{ 1, 2, 5 }, { 1, 2, 6 },
	{ 0x80000001, 2, 2 }, { 0x80000001, 2, 12 },
	{ 0x8000000a, 0, -1 }, { 0x8000000a, 1, -1 }, { 0x8000000a, 2, -1 }, { 0x8000000a, 3, -1 },
	{ 0x8000001f, 0, -1 }, { 0x8000001f, 1, -1 }, { 0x8000001f, 2, -1 }, { 0x8000001f, 3, -1 },
	{ 0x80000023, 0, -1 }, { 0x80000023, 1, -1 }, { 0x80000023, 2, -1 }, { 0x80000023, 3, -1 },
	{ 0x80000025, 0, -1 }, { 0x80000025, 1, -1 }, { 0x80000025, 2, -1 }, { 0x80000025, 3, -1 },
};

static const struct bit from_cells[] = {
	{ 1, 2, 2 }, { 1, 2, 4 }, { 1, 2, 7 }, { 1, 2, 8 }, { 1, 2, 15 }, { 1, 2, 18 },
	{ 1, 3, 21 }, { 1, 3, 22 }, { 1, 3, 29 },
	{ 6, 1, -1 }, { 6, 3, -1 }, { 6, 0, 0 }, { 6, 0, 1 }, { 6, 0, 7 }, { 6, 2, 3 },
	{ 7, 1, 2 }, { 7, 1, 12 }, { 7, 1, 15 }, { 7, 1, 25 }, { 7, 2, 13 }, { 7, 2, 30 },
	{ 7, 3, 18 }, { 7, 3, 19 }, { 7, 3, 30 },
	{ 0xa, 0, -1 }, { 0x10, 1, -1 }, { 0x12, 2, -1 }, { 0x14, 3, -1 },
	{ 0x80000001, 2, 10 }, { 0x80000001, 2, 13 }, { 0x80000001, 2, 15 }, { 0x80000001, 2, 24 },
	{ 0x80000001, 2, 28 },
	{ 0x80000007, 1, -1 }, { 0x80000007, 3, 7 }, { 0x80000007, 3, 9 },
	{ 0x80000008, 1, 3 }, { 0x80000008, 1, 8 }, { 0x80000008, 1, 12 }, { 0x80000008, 3, 0 }, { 0x80000008, 1, 23 }, { 0x80000008, 1, 25 }, { 0x80000008, 1, 27 },
	{ 0x8000001b, 0, -1 }, { 0x8000001c, 0, -1 }, { 0x80000020, 1, -1 },
};

/* What stock kernels and inmates rest on. */
static const struct bit kept[] = {
	{ 1, 2, 3 },			/* MONITOR */
	{ 1, 2, 21 }, { 1, 2, 24 },	/* x2APIC, TSC_DEADLINE */
	{ 1, 2, 26 }, { 1, 2, 28 },	/* XSAVE, AVX */
	{ 1, 3, 4 }, { 1, 3, 5 }, { 1, 3, 9 }, { 1, 3, 12 }, { 1, 3, 16 },	/* TSC, MSR, APIC, MTRR, PAT */
	{ 6, 0, 2 }, { 6, 2, 0 },	/* ARAT, APERFMPERF */
	{ 7, 1, 5 }, { 7, 1, 7 }, { 7, 1, 20 },	/* AVX2, SMEP, SMAP */
	{ 0x80000001, 3, 11 }, { 0x80000001, 3, 20 }, { 0x80000001, 3, 26 }, { 0x80000001, 3, 27 },
	{ 0x80000001, 3, 29 },		/* SYSCALL, NX, 1G, RDTSCP, LM */
	{ 0x80000001, 2, 22 }, { 0x80000001, 2, 23 },	/* topology, counters */
	{ 0x80000007, 3, 8 },		/* TscInvariant */
	{ 0x80000008, 0, -1 }, { 0xb, 3, -1 }, { 0xd, 1, -1 }, { 0x15, 1, -1 },
};

static uint32_t reg_of(const struct cpuid_answer *a, int reg)
{
	return reg == 0 ? a->eax : reg == 1 ? a->ebx : reg == 2 ? a->ecx : a->edx;
}

static void check_bits(const struct bit *bits, size_t count, bool root, bool hidden)
{
	for (size_t i = 0; i < count; i++) {
		struct cpuid_answer a = hidden_in(bits[i].leaf, 0, root);
		uint32_t mask = bits[i].bit < 0 ? 0xffffffff : 1u << bits[i].bit;

		if ((reg_of(&a, bits[i].reg) & mask) != (hidden ? mask : 0))
			fail_msg("leaf 0x%x register %d bit %d", bits[i].leaf, bits[i].reg, bits[i].bit);
	}
}

static void test_what_is_hidden_and_what_stays(void **state)
{
	(void)state;
	check_bits(from_root, ARRAY_SIZE(from_root), true, true);
	check_bits(from_root, ARRAY_SIZE(from_root), false, true);
	check_bits(from_cells, ARRAY_SIZE(from_cells), false, true);
	check_bits(from_cells, ARRAY_SIZE(from_cells), true, false);
	check_bits(kept, ARRAY_SIZE(kept), true, false);
	check_bits(kept, ARRAY_SIZE(kept), false, false);
}

static bool is_filtered(uint32_t leaf, bool root)
{
	for (size_t i = 0; i < ARRAY_SIZE(from_root); i++)
		if (from_root[i].leaf == leaf)
			return true;
	for (size_t i = 0; !root && i < ARRAY_SIZE(from_cells); i++)
		if (from_cells[i].leaf == leaf)
			return true;
	return !root && (leaf == 9 || leaf == 0xf || leaf == 0x1b || leaf == 0x1c || leaf == 0x80000022);
}

/* Every other leaf, whatever the subleaf, is the hardware's; and none has a bit that the hardware has not. */
static void test_the_rest_is_as_it_is(void **state)
{
	static const uint32_t starts[] = { 0, 0x7fffff00, 0x80000000, 0x3fffff00, 0x40000100, 0xffffff00 };

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
		for (uint32_t i = 0; i < 0x100 * 4; i++) {
			uint32_t leaf = starts[s] + i / 4, subleaf = i % 4;
			struct cpuid_answer zero = { 0, 0, leaf == 1 ? 1u << 31 : 0, 0 }, a;

			for (int root = 0; root < 2; root++) {
				a = ask(leaf, subleaf, root, 0, false);
				assert_memory_equal(&a, &zero, sizeof(a));
				a = ask(leaf, subleaf, root, ~0ull, true);
				if (!is_filtered(leaf, root))
					assert_memory_equal(&a, &everything, sizeof(a));
			}
		}
	}
}

static void test_cr4_decides_its_mirrors(void **state)
{
	(void)state;
	for (int root = 0; root < 2; root++) {
		for (int of = 0; of < 2; of++) {
			assert_int_equal(ask(1, 0, root, CR4_OSXSAVE, of).ecx & OSXSAVE, OSXSAVE);
			assert_int_equal(ask(1, 0, root, ~(uint64_t)CR4_OSXSAVE, of).ecx & OSXSAVE, 0);
			assert_int_equal(ask(7, 0, root, CR4_PKE, of).ecx & OSPKE, OSPKE);
			assert_int_equal(ask(7, 0, root, ~(uint64_t)CR4_PKE, of).ecx & OSPKE, 0);
		}
	}
	/* other subleaves have other bits there */
	assert_int_equal(ask(7, 1, false, 0, true).ecx, 0xffffffff);
	for (uint32_t leaf = 0; leaf < 0x100; leaf++) {
		struct cpuid_answer with = ask(leaf, 0, false, ~0ull, true), without = ask(leaf, 0, false, 0, true);

		assert_int_equal(memcmp(&with, &without, sizeof(with)) != 0, cpuid_wants_cr4(leaf));
	}
}

static void test_signature(void **state)
{
	char name[13] = { 0 };

	(void)state;
	for (int root = 0; root < 2; root++) {
		for (int of = 0; of < 2; of++) {
			struct cpuid_answer a = ask(0x40000000, 0, root, 0, of);

			assert_int_equal(a.eax, 0x40000001);
			memcpy(name, &a.ebx, 4);
			memcpy(name + 4, &a.ecx, 4);
			memcpy(name + 8, &a.edx, 4);
			assert_memory_equal(name, "Jailhouse\0\0\0", 12);
			/* no feature, and nothing of a hypervisor below */
			for (uint32_t leaf = 0x40000001; leaf < 0x40000100; leaf++) {
				a = ask(leaf, 0, root, 0, of);
				assert_memory_equal(&a, &nothing, sizeof(a));
			}
			assert_int_equal(ask(1, 0, root, 0, of).ecx >> 31, 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_hidden_and_what_stays),
		cmocka_unit_test(test_the_rest_is_as_it_is),
		cmocka_unit_test(test_cr4_decides_its_mirrors),
		cmocka_unit_test(test_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
