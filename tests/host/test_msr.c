// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which MSRs a guest has. Beside the table, which goes by ranges and both kinds of cell, stands
 * the same as lists of single numbers, one for each policy: every number in and around the bitmaps is
 * looked up in both.
 */
#include "test.h"

#include "arch/x86/pure/apic.h"
#include "arch/x86/pure/msr.h"
#include "base/types.h"

#define END 0xffffffffu

static const uint32_t cell_direct[] = {
	0x48, 0x49, 0xe1, 0xe7, 0xe8, 0x10b, 0x174, 0x175, 0x176, 0x1c4, 0x1c5, 0x6a0, 0x6a2, 0x6a4,
	0x6a5, 0x6a6, 0x6a7, 0x6a8, 0x6e0, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100,
	0xc0000101, 0xc0000102, 0xc0000103, 0xc0000300, 0xc0000301, 0xc0000302, 0xc0000303, 0xc0010000,
	0xc0010001, 0xc0010002, 0xc0010003, 0xc0010004, 0xc0010005, 0xc0010006, 0xc0010007, 0xc0010200,
	0xc0010201, 0xc0010202, 0xc0010203, 0xc0010204, 0xc0010205, 0xc0010206, 0xc0010207, 0xc0010208,
	0xc0010209, 0xc001020a, 0xc001020b, 0xc0011019, 0xc001101a, 0xc001101b, 0xc0011027, END,
};

static const uint32_t cell_read_direct[] = {
	0x10a, 0xc00000e7, 0xc00000e8, 0xc00000e9, 0xc0010280, END,
};

static const uint32_t cell_read_drop[] = {
	0x17, 0x8b, 0xfe, 0x122, 0x123, 0x198, 0x199, 0x19a, 0x19b, 0x19c, 0x1a0, 0x1b0, 0x200, 0x201, 0x202, 0x203,
	0x204, 0x205, 0x206, 0x207, 0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f, 0x250, 0x258,
	0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f, 0x2ff, 0xc0010010, 0xc0010015,
	0xc0010016, 0xc0010017, 0xc0010018, 0xc0010019, 0xc001001a, 0xc001001d, 0xc0010061, 0xc0010062,
	0xc0010063, 0xc0010064, 0xc0010065, 0xc0010066, 0xc0010067, 0xc0010068, 0xc0010069, 0xc001006a,
	0xc001006b, 0xc0010140, 0xc0010141, 0xc0011020, 0xc0011021, 0xc0011022, 0xc0011023, 0xc0011024,
	0xc0011025, 0xc0011026, 0xc0011028, 0xc0011029, 0xc001102a, 0xc001102b, 0xc001102c, 0xc001102d,
	0xc001102e, 0xc001102f, END,
};

static const uint32_t cell_zero[] = {
	0x79, 0x179, 0x17a, 0x17b, 0x1d9, 0x1db, 0x1dc, 0x1dd, 0x1de, 0xc001001f, 0xc0010020, 0xc0010044,
	0xc0010045, 0xc0010046, 0xc0010047, 0xc0010048, 0xc0010049, 0xc001004a, 0xc0010055, 0xc0010058,
	0xc0010111, 0xc0010112, 0xc0010113, END,
};

/* Of those there are, what is neither checked nor an LVT entry */
static bool is_cell_x2apic(uint32_t msr)
{
	return msr == 0x802 || msr == 0x803 || (msr >= 0x808 && msr <= 0x80b) || msr == 0x80d ||
	       (msr >= 0x80f && msr <= 0x828) || msr == 0x838 || msr == 0x839 || msr == 0x83e || msr == 0x83f;
}

static const uint32_t check[] = { 0x10, 0x1b, 0x3b, 0x277, 0xc0000080, END };

static const uint32_t root_denied[] = {
	0x9b, 0xc0000104, 0xc0010114, 0xc0010115, 0xc0010116, 0xc0010117, 0xc0010118, 0xc0010119,
	0xc001011b, 0xc001011c, 0xc001011d, 0xc001011e, 0xc0010130, 0xc0010131, 0xc0010132, 0xc0010133,
	0xc0010134, 0xc0010135, 0xc0010136, 0xc0010137, 0xc0010138, 0xc0010139, 0xc001013a, 0xc001013b,
	0xc001013c, 0xc001013d, 0xc001013e, 0xc001013f, END,
};

static const uint32_t root_read_drop[] = {
	0xc0010016, 0xc0010017, 0xc0010018, 0xc0010019, 0xc001001a, 0xc001001d, 0xc0010058, 0xc0010111,
	0xc0010112, 0xc0010113, END,
};

static bool listed(const uint32_t *list, uint32_t msr)
{
	while (*list != END && *list != msr)
		list++;
	return *list == msr && msr != END;
}

static bool is_vmx(uint32_t msr)
{
	return msr >= 0x480 && msr <= 0x493;
}

static bool in_bitmap(uint32_t msr)
{
	return msr <= 0x1fff || (msr >= 0xc0000000 && msr <= 0xc0001fff) || (msr >= 0xc0010000 && msr <= 0xc0011fff);
}

static enum msr_policy root_model(uint32_t msr)
{
	if (listed(check, msr) || (msr >= 0xc0002000 && msr <= 0xc00023ff))
		return MSR_CHECK;
	if (!in_bitmap(msr) || listed(root_denied, msr) || is_vmx(msr))
		return MSR_DENIED;
	if (msr == 0x79 || msr == 0xc0010020)
		return MSR_ZERO;
	if (msr == 0x830 || msr == 0xc0010010)
		return MSR_READ_CHECK;
	return listed(root_read_drop, msr) ? MSR_READ_DROP : MSR_DIRECT;
}

static enum msr_policy cell_model(uint32_t msr)
{
	if (listed(check, msr))
		return MSR_CHECK;
	if (listed(cell_direct, msr))
		return MSR_DIRECT;
	if (listed(cell_read_direct, msr))
		return MSR_READ_DIRECT;
	if (listed(cell_read_drop, msr))
		return MSR_READ_DROP;
	if (listed(cell_zero, msr) || (msr >= 0x400 && msr <= 0x47f) || msr == 0x82f || (msr >= 0x840 && msr <= 0x8ff))
		return MSR_ZERO;
	if (msr == 0x830 || (msr >= 0x832 && msr <= 0x837) || msr == 0xda0)
		return MSR_READ_CHECK;
	return is_cell_x2apic(msr) ? MSR_DIRECT : MSR_DENIED;
}

static void check_range(uint32_t first, uint32_t last)
{
	for (uint64_t msr = first; msr <= last; msr++) {
		uint32_t end;

		if (msr_policy((uint32_t)msr, true, &end) != root_model((uint32_t)msr))
			fail_msg("MSR 0x%x of the root cell", (uint32_t)msr);
		assert_true(end >= msr);
		if (msr_policy((uint32_t)msr, false, &end) != cell_model((uint32_t)msr))
			fail_msg("MSR 0x%x of a cell", (uint32_t)msr);
		assert_true(end >= msr);
	}
}

static void test_every_number_in_and_around_the_bitmaps(void **state)
{
	(void)state;
	check_range(0, 0x2fff);
	check_range(0x40000000 - 0x10, 0x40000200);
	check_range(0xbfffff00, 0xc0003000);
	check_range(0xc000ff00, 0xc0013000);
	check_range(0xffffff00, 0xffffffff);
}

/* From number to number by what msr_policy() says of the next, there is none that is left out. */
static void test_runs_cover_all_numbers(void **state)
{
	(void)state;
	for (int root = 0; root < 2; root++) {
		uint32_t msr = 0, last = 0, runs = 0;
		enum msr_policy policy;

		do {
			policy = msr_policy(msr, root, &last);
			assert_true(last >= msr);
			assert_int_equal(policy, root ? root_model(msr) : cell_model(msr));
			assert_int_equal(policy, root ? root_model(last) : cell_model(last));
			if (last - msr < 0x10000)
				for (uint32_t m = msr; m != last; m++)
					assert_int_equal(policy, root ? root_model(m) : cell_model(m));
			else
				assert_true(policy == MSR_DENIED && !in_bitmap(msr) && !in_bitmap(last));
			msr = last + 1;
			assert_true(++runs < 1000);
		} while (last != END);
	}
}

/* No run crosses the edge of a bitmap: each can be written to it as it is. */
static void test_runs_end_with_their_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < MSR_WINDOWS; i++) {
		for (int root = 0; root < 2; root++) {
			uint32_t last = 0, msr = msr_windows[i].first;

			for (; msr <= msr_windows[i].last; msr = last + 1)
				(void)msr_policy(msr, root, &last);
			assert_int_equal(last, msr_windows[i].last);
		}
	}
}

/* A register whose writes the local APIC's rules do not just pass on is not written without an exit. */
static void test_apic_registers_are_as_its_rules_say(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 0x100; i++) {
		for (int root = 0; root < 2; root++) {
			uint32_t last;
			enum msr_policy policy = msr_policy(0x800 + i, root, &last);
			enum apic_write rule = apic_write_rule(i * 16, root);

			if (rule == APIC_WRITE_ICR || rule == APIC_WRITE_LVT)
				assert_int_equal(policy, MSR_READ_CHECK);
			else if (root || rule == APIC_WRITE_PASS)
				assert_int_equal(policy, MSR_DIRECT);
		}
	}
}

/* What must never be a guest's, whatever else changes. */
static void test_what_reaches_the_hypervisor_is_nobodys(void **state)
{
	static const uint32_t never[] = { 0x1b, 0x830, 0xc0000080, 0xc0000104, 0xc0010010, 0xc0010114, 0xc0010117,
					  0xc0010118, 0xc0010130, 0xc0010131 };
	uint32_t last;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		assert_int_not_equal(msr_policy(never[i], true, &last), MSR_DIRECT);
		assert_int_not_equal(msr_policy(never[i], false, &last), MSR_DIRECT);
	}
	assert_int_equal(MSR_SYSCFG_ROOT & (1ull << 23), 0);
	assert_int_equal(MSR_XSS_CELL & (1ull << 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number_in_and_around_the_bitmaps),
		cmocka_unit_test(test_runs_cover_all_numbers),
		cmocka_unit_test(test_runs_end_with_their_window),
		cmocka_unit_test(test_apic_registers_are_as_its_rules_say),
		cmocka_unit_test(test_what_reaches_the_hypervisor_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
