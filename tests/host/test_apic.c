// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's page: every offset, for the root cell and for others, against the manual's
 * table of registers copied once more; every value of LVT entries; and that the policy of its
 * MSRs says the same as that of the page.
 */
#include "test.h"

#include "arch/x86/pure/apic.h"
#include "arch/x86/pure/msr.h"

/* SDM 3, table 11-1: what of the page can be written, and what it means that a cell does. */
static const struct {
	uint32_t offset;
	enum apic_write cell, root;
} registers[] = {
	{ 0x020, APIC_WRITE_DROP, APIC_WRITE_DROP },		/* ID */
	{ 0x080, APIC_WRITE_PASS, APIC_WRITE_PASS },		/* TPR */
	{ 0x0b0, APIC_WRITE_PASS, APIC_WRITE_PASS },		/* EOI */
	{ 0x0d0, APIC_WRITE_LDR, APIC_WRITE_LDR },
	{ 0x0e0, APIC_WRITE_DFR, APIC_WRITE_DFR },
	{ 0x0f0, APIC_WRITE_PASS, APIC_WRITE_PASS },		/* SVR */
	{ 0x280, APIC_WRITE_PASS, APIC_WRITE_PASS },		/* ESR */
	{ 0x300, APIC_WRITE_ICR, APIC_WRITE_ICR },
	{ 0x310, APIC_WRITE_ICR_HIGH, APIC_WRITE_ICR_HIGH },
	{ 0x320, APIC_WRITE_LVT, APIC_WRITE_PASS },		/* timer */
	{ 0x330, APIC_WRITE_LVT, APIC_WRITE_PASS },		/* thermal */
	{ 0x340, APIC_WRITE_LVT, APIC_WRITE_PASS },		/* performance */
	{ 0x350, APIC_WRITE_LVT, APIC_WRITE_PASS },		/* LINT0 */
	{ 0x360, APIC_WRITE_LVT, APIC_WRITE_PASS },		/* LINT1 */
	{ 0x370, APIC_WRITE_LVT, APIC_WRITE_PASS },		/* error */
	{ 0x380, APIC_WRITE_PASS, APIC_WRITE_PASS },		/* initial count */
	{ 0x3e0, APIC_WRITE_PASS, APIC_WRITE_PASS },		/* divide configuration */
};

static void test_every_register(void **state)
{
	unsigned known = 0;

	(void)state;
	for (uint32_t offset = 0; offset < APIC_END; offset += 16) {
		enum apic_write cell = APIC_WRITE_DROP, root = APIC_WRITE_PASS;

		for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
			if (registers[i].offset == offset) {
				cell = registers[i].cell;
				root = registers[i].root;
				known++;
			}
		if (apic_write_rule(offset, false) != cell || apic_write_rule(offset, true) != root)
			fail_msg("register 0x%x: %d and %d", offset, apic_write_rule(offset, false),
				 apic_write_rule(offset, true));
	}
	assert_int_equal(known, sizeof(registers) / sizeof(registers[0]));
}

/* What an entry may do to a cell's CPU when its event comes: nothing, a vector, an NMI. */
static void test_no_lvt_of_a_cell_sends_what_it_may_not(void **state)
{
	(void)state;
	for (uint32_t value = 0; value < 1u << 19; value++) {
		uint32_t given = apic_lvt(value);
		unsigned type = value >> 8 & 7;
		bool masked = value >> 16 & 1;

		assert_int_equal(given & ~0x10000u, value & ~0x10000u);
		if (masked || type == 0 || type == 4)
			assert_int_equal(given, value);
		else
			assert_true(given & 0x10000);
	}
}

/* SDM 3, table 11-6, and APM 2, table 16-6, without the CMCI: a cell has no machine checks */
static bool there(uint32_t index)
{
	static const struct { uint8_t first, last; } ranges[] = {
		{ 0x02, 0x03 }, { 0x08, 0x0b }, { 0x0d, 0x0d }, { 0x0f, 0x28 }, { 0x30, 0x30 }, { 0x32, 0x39 }, { 0x3e, 0x3f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (index >= ranges[i].first && index <= ranges[i].last)
			return true;
	return false;
}

/*
 * In x2APIC mode a write is trapped if it means more in the page than to be done. What is not
 * there, no cell so much as reads: QEMU would remember it for the CPU's next owner.
 */
static void test_the_msrs_are_served_as_the_page_is(void **state)
{
	(void)state;
	for (uint32_t index = 0; index < 0x40; index++) {
		uint32_t last, offset = index * 16;
		enum msr_policy cell = msr_policy(0x800 + index, false, &last);
		enum msr_policy root = msr_policy(0x800 + index, true, &last);
		enum apic_write rule = apic_write_rule(offset, false);

		if (!there(index))
			assert_int_equal(cell, offset == APIC_LVT_CMCI ? MSR_ZERO : MSR_DENIED);
		else
			assert_int_equal(cell, rule == APIC_WRITE_ICR || rule == APIC_WRITE_LVT ? MSR_READ_CHECK :
											  MSR_DIRECT);
		assert_int_equal(root, offset == APIC_ICR ? MSR_READ_CHECK : MSR_DIRECT);
	}
	for (uint32_t index = 0x40; index < 0x100; index++) {
		uint32_t last;

		assert_int_equal(msr_policy(0x800 + index, false, &last), MSR_ZERO);
	}
}

/* A destination of eight bits, flat: as many CPUs as bits in common. */
static void test_flat_ids_are_sets(void **state)
{
	(void)state;
	for (uint32_t logical = 0; logical < 0x100; logical++)
		for (uint32_t destination = 0; destination < 0x100; destination++) {
			const struct apic_cpu cpu = { .id = 7, .logical_id = logical << 24 | 0xabcdef, .destination_format = 0xf0000000 };

			assert_int_equal(apic_is_meant(&cpu, destination, true, 0xff), (logical & destination) != 0);
			assert_int_equal(apic_is_meant(&cpu, destination, false, 0xff), destination == 7 || destination == 0xff);
			assert_int_equal(apic_is_meant(&cpu, destination, false, UINT32_MAX), destination == 7);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_register),
		cmocka_unit_test(test_no_lvt_of_a_cell_sends_what_it_may_not),
		cmocka_unit_test(test_the_msrs_are_served_as_the_page_is),
		cmocka_unit_test(test_flat_ids_are_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
