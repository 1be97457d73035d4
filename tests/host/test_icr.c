// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt command register against a slow model that is written from the manuals' tables:
 * it builds the list of who hears a message on a bus, bit by bit. Every combination of the
 * fields' values, in both modes, from every CPU.
 */
#include "test.h"

#include "arch/x86/pure/icr.h"

#define CPUS 6

/* A message as it goes to every CPU. */
struct message {
	bool everyone;			/* broadcast */
	bool logical;
	uint32_t destination;
};

static const unsigned flat = 0xf, cluster = 0;

/* SDM 3, 11.6.2.2 and 11.12.10: the logical id of a CPU, spelled out. */
static bool hears_logical(const struct apic_cpu *cpu, uint32_t destination)
{
	const unsigned model = cpu->destination_format >> 28;
	const uint32_t logical_id = cpu->logical_id >> 24;
	uint32_t ldr;

	if (cpu->x2apic) {
		ldr = ((cpu->id >> 4) << 16) | (1u << (cpu->id % 16));
		if (destination == 0xffffffff)
			return true;
		return (destination & 0xffff0000) == (ldr & 0xffff0000) && (destination & ldr & 0xffff) != 0;
	}
	if (destination >= 0x100)
		return false;
	if (model == flat) {
		for (unsigned bit = 0; bit < 8; bit++)
			if ((destination >> bit & 1) && (logical_id >> bit & 1))
				return true;
		return false;
	}
	if (model != cluster)
		return false;
	for (unsigned bit = 0; bit < 4; bit++)
		if ((destination >> bit & 1) && (logical_id >> bit & 1))
			return destination / 16 == logical_id / 16 || destination / 16 == 15;
	return false;
}

static bool hears(const struct apic_cpu *cpu, struct message m)
{
	if (m.everyone)
		return true;
	return m.logical ? hears_logical(cpu, m.destination) : m.destination == cpu->id;
}

static bool model_is_meant(const struct apic_cpu *cpus, unsigned from, unsigned to, uint64_t icr)
{
	const unsigned shorthand = icr >> 18 & 3;
	struct message m = { .logical = icr >> 11 & 1, .destination = (uint32_t)(icr >> 32) };

	if (shorthand == 1)
		return from == to;
	if (shorthand == 2)
		return true;
	if (shorthand == 3)
		return from != to;
	m.everyone = !m.logical && m.destination == (cpus[from].x2apic ? 0xffffffff : 0xff);
	return hears(&cpus[to], m);
}

static enum icr_kind model_kind(uint32_t low)
{
	static const enum icr_kind by_type[8] = {
		ICR_KIND_FIXED, ICR_KIND_LOWEST, ICR_KIND_REFUSED, ICR_KIND_REFUSED,
		ICR_KIND_NMI,	ICR_KIND_INIT,	 ICR_KIND_STARTUP, ICR_KIND_REFUSED,
	};
	const unsigned type = low >> 8 & 7;

	if (type <= 1 && (low & 0xff) < 16)
		return ICR_KIND_NOTHING;
	if (type == 5 && !(low & 0x4000) && (low & 0x8000))
		return ICR_KIND_NOTHING;
	return by_type[type];
}

static void test_kinds(void **state)
{
	(void)state;
	/* all that matters for it, and all that does not */
	for (uint32_t low = 0; low < 1u << 20; low++) {
		assert_int_equal(icr_kind(low), model_kind(low));
		assert_int_equal(icr_kind(low | 0xffffffff00000000ull), model_kind(low));
	}
}

static void test_plain_is_what_needs_no_more_than_an_id(void **state)
{
	unsigned plain = 0;

	(void)state;
	for (uint64_t low = 0; low < 1u << 20; low++) {
		bool wanted = model_kind((uint32_t)low) == ICR_KIND_FIXED && (low >> 18 & 3) == 0 && !(low & 0x800) &&
			      !(low & 0x8000) && !(low & ICR_RESERVED) && !(low & 0x1000);

		assert_int_equal(icr_is_plain(low), wanted);
		assert_int_equal(icr_is_plain(low | 3ull << 32), wanted);
		plain += wanted;
	}
	assert_int_equal(plain, 2 * 240);
}

static const uint32_t destinations[] = {
	0,	    1,	      2,	  3,	      4,      5,	  8,	      0xf,	  0x10,	     0x11,
	0x12,	    0x13,     0x1f,	  0x20,	      0x21,   0x40,	  0x80,	      0xf0,	  0xf1,	     0xf3,
	0xfe,	    0xff,     0x100,	  0x101,      0x103,  0x123,	  0x1ff,      0x10001,	  0x10003,   0x100002,
	0x120008,   0xf0001,  0x00ff0001, 0xffff,     0x1ffff, 0x7fffffff, 0x80000000, 0xffff0001, 0xffffffff, 0x2000000,
};

/* Every shorthand and destination, from each of them to each. Counts who was meant. */
static unsigned sweep(const struct apic_cpu *cpus)
{
	unsigned meant = 0;

	for (unsigned fields = 0; fields < 8; fields++)
		for (size_t d = 0; d < sizeof(destinations) / sizeof(destinations[0]); d++)
			for (unsigned from = 0; from < CPUS; from++)
				for (unsigned to = 0; to < CPUS; to++) {
					uint64_t icr = (uint64_t)destinations[d] << 32 | (uint64_t)(fields >> 1) << 18 |
						       (fields & 1 ? 0x800u : 0u) | 0x4030;
					bool is = icr_is_meant(icr, &cpus[from], &cpus[to]);

					if (is != model_is_meant(cpus, from, to, icr))
						fail_msg("ICR 0x%llx from %u to %u: %d", (unsigned long long)icr, from, to, is);
					meant += is;
				}
	return meant;
}

static void test_targets_in_xapic_mode(void **state)
{
	struct apic_cpu cpus[CPUS] = { { .id = 0 }, { .id = 1 }, { .id = 2 }, { .id = 3 }, { .id = 0x10 }, { .id = 0x21 } };
	static const uint32_t formats[] = { 0xffffffff, 0x0fffffff, 0x3fffffff };

	(void)state;
	for (size_t f = 0; f < 3; f++) {
		for (unsigned i = 0; i < CPUS; i++) {
			cpus[i].destination_format = formats[f];
			cpus[i].logical_id = f == 1 ? (i / 4 << 28 | 1u << (24 + i % 4)) : 1u << (24 + i);
		}
		assert_true(sweep(cpus) > 100);
	}
	/* two CPUs share a bit, one has none */
	cpus[2].logical_id = cpus[1].logical_id;
	cpus[3].logical_id = 0;
	assert_true(sweep(cpus) > 100);
}

static void test_targets_in_x2apic_mode(void **state)
{
	struct apic_cpu cpus[CPUS] = { { .id = 0 }, { .id = 3 }, { .id = 0x11 }, { .id = 0xff }, { .id = 0x101 }, { .id = 0x123 } };

	(void)state;
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i].x2apic = true;
		/* not looked at in this mode */
		cpus[i].logical_id = 0xff000000;
		cpus[i].destination_format = 0xffffffff;
	}
	assert_true(sweep(cpus) > 100);
}

static void test_targets_in_both_modes_at_once(void **state)
{
	struct apic_cpu cpus[CPUS] = { { .id = 0 }, { .id = 1 }, { .id = 2 }, { .id = 3 }, { .id = 4 }, { .id = 0x12 } };

	(void)state;
	for (unsigned modes = 0; modes < 1u << CPUS; modes++) {
		for (unsigned i = 0; i < CPUS; i++) {
			cpus[i].x2apic = modes >> i & 1;
			cpus[i].logical_id = 1u << (24 + i);
			cpus[i].destination_format = 0xffffffff;
		}
		assert_true(sweep(cpus) > 100);
	}
}

static void test_every_id_in_every_cluster(void **state)
{
	struct apic_cpu from = { .id = 0x7fff, .x2apic = true }, to = { .x2apic = true };

	(void)state;
	for (uint32_t id = 0; id < 0x1000; id++) {
		unsigned meant = 0;

		to.id = id;
		for (uint32_t c = 0; c < 0x100; c++)
			for (unsigned bit = 0; bit < 16; bit++)
				meant += icr_is_meant((uint64_t)(c << 16 | 1u << bit) << 32 | 0x4830, &from, &to);
		assert_int_equal(meant, 1);
		assert_true(icr_is_meant((uint64_t)((id / 16) << 16 | 1u << id % 16) << 32 | 0x4830, &from, &to));
	}
	for (uint32_t id = 0x1000; id < 0xf0000; id += 0xff1) {
		uint64_t logical = (uint64_t)((id / 16) << 16 | 1u << id % 16) << 32 | 0x4830;

		to.id = id;
		assert_true(icr_is_meant(logical, &from, &to));
		for (unsigned bit = 48; bit < 64; bit++)
			assert_false(icr_is_meant(logical ^ 1ull << bit, &from, &to));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_plain_is_what_needs_no_more_than_an_id),
		cmocka_unit_test(test_targets_in_xapic_mode),
		cmocka_unit_test(test_targets_in_x2apic_mode),
		cmocka_unit_test(test_targets_in_both_modes_at_once),
		cmocka_unit_test(test_every_id_in_every_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
