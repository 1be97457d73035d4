// SPDX-License-Identifier: GPL-2.0-only
/* ESR_EL2 taken apart: known values, every class and fault code, random syndromes. */
#include <string.h>
#include "test.h"

#include "arch/arm64/pure/esr.h"

/* Bits written out as the manual counts them, apart from base/bits.h on purpose. */
static uint64_t field(uint64_t value, unsigned high, unsigned low)
{
	uint64_t out = 0;

	for (unsigned bit = low; bit <= high; bit++)
		if (value & ((uint64_t)1 << bit))
			out += (uint64_t)1 << (bit - low);
	return out;
}

static struct exit decoded(uint64_t esr, uint64_t far, uint64_t hpfar)
{
	struct exit x = { 0 };

	esr_decode(esr, far, hpfar, &x);
	return x;
}

/* What one exit leaves behind must not be taken for the next one's. */
static void check_over(const struct exit_abort *a, uint64_t esr, uint64_t far, uint64_t hpfar)
{
	struct exit over;

	memset(&over, 1, sizeof(over));
	esr_decode(esr, far, hpfar, &over);
	assert_int_equal(over.abort.level, a->level);
	assert_int_equal(over.abort.write, a->write);
	assert_int_equal(over.abort.fetch, a->fetch);
	assert_int_equal(over.abort.walk, a->walk);
	assert_int_equal(over.abort.cache_op, a->cache_op);
	assert_int_equal(over.abort.syndrome, a->syndrome);
	assert_int_equal(over.abort.far_only, a->far_only);
	assert_int_equal(over.abort.address_known, a->address_known);
}

static void test_every_class(void **state)
{
	(void)state;
	for (unsigned ec = 0; ec < 64; ec++) {
		struct exit x = decoded((uint64_t)ec << 26 | 1u << 25, 0, 0);
		enum exit_kind kind = ec == 0x01 ? EXIT_WFX : ec == 0x16 ? EXIT_HVC64 :
				      ec == 0x17 ? EXIT_SMC64 : ec == 0x18 ? EXIT_SYSREG :
				      ec == 0x20 ? EXIT_INSN_ABORT :
				      ec == 0x24 ? EXIT_DATA_ABORT : EXIT_OTHER;

		assert_int_equal(x.ec, ec);
		assert_int_equal(x.kind, kind);
		assert_int_equal(x.length, 4);
		assert_int_equal(decoded((uint64_t)ec << 26, 0, 0).length, 2);
	}
}

/* ISS2 and whatever lies above must not reach the class. */
static void test_upper_half_is_ignored(void **state)
{
	struct exit x = decoded(0xffffffff00000000 | 0x5a004a48, 0, 0);

	(void)state;
	assert_int_equal(x.kind, EXIT_HVC64);
	assert_int_equal(x.ec, 0x16);
	assert_int_equal(x.immediate, 0x4a48);
}

static void test_calls_and_waits(void **state)
{
	(void)state;
	assert_int_equal(decoded(0x5a00ffff, 0, 0).immediate, 0xffff);
	assert_int_equal(decoded(0x5e000000, 0, 0).kind, EXIT_SMC64);
	assert_int_equal(decoded(0x5e001234, 0, 0).immediate, 0x1234);
	for (unsigned ti = 0; ti < 4; ti++) {
		struct exit x = decoded(0x07e00000 | ti, 0, 0);

		assert_int_equal(x.kind, EXIT_WFX);
		assert_int_equal(x.wfe, ti == 1 || ti == 3);
		assert_int_equal(x.timed, ti >= 2);
	}
}

static void test_sysreg(void **state)
{
	/* msr ICC_SGI1R_EL1, x2 and mrs xzr, MPIDR_EL1 */
	struct exit msr = decoded(0x623a3056, 0, 0);
	struct exit mrs = decoded(0x623a03e1, 0, 0);
	uint64_t seed = 1;

	(void)state;
	assert_int_equal(msr.kind, EXIT_SYSREG);
	assert_int_equal(msr.sysreg.id, SYSREG_ID(3, 0, 12, 11, 5));
	assert_int_equal(msr.sysreg.reg, 2);
	assert_false(msr.sysreg.read);
	assert_int_equal(mrs.sysreg.id, SYSREG_ID(3, 0, 0, 0, 5));
	assert_int_equal(mrs.sysreg.reg, 31);
	assert_true(mrs.sysreg.read);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t iss = test_random(&seed) & 0x1ffffff;
		struct exit x = decoded(0x62000000 | iss, 0, 0);

		assert_int_equal(x.sysreg.id >> 16, field(iss, 21, 20));
		assert_int_equal(x.sysreg.id >> 12 & 0xf, field(iss, 16, 14));
		assert_int_equal(x.sysreg.id >> 8 & 0xf, field(iss, 13, 10));
		assert_int_equal(x.sysreg.id >> 4 & 0xf, field(iss, 4, 1));
		assert_int_equal(x.sysreg.id & 0xf, field(iss, 19, 17));
		assert_int_equal(x.sysreg.reg, field(iss, 9, 5));
		assert_int_equal(x.sysreg.read, field(iss, 0, 0));
	}
}

/* str w2, [..] that met a level 2 translation fault */
static void test_known_data_abort(void **state)
{
	struct exit x = decoded(0x93820046, 0xffff800008123f04, 0x80100);

	(void)state;
	assert_int_equal(x.kind, EXIT_DATA_ABORT);
	assert_int_equal(x.abort.fault, FAULT_TRANSLATION);
	assert_int_equal(x.abort.level, 2);
	assert_true(x.abort.address_known);
	assert_false(x.abort.far_only);
	assert_true(x.abort.address.v == 0x8010f04);
	assert_true(x.abort.far == 0xffff800008123f04);
	assert_true(x.abort.write);
	assert_true(x.abort.syndrome);
	assert_int_equal(x.abort.size, 4);
	assert_int_equal(x.abort.reg, 2);
	assert_false(x.abort.wide);
	assert_false(x.abort.sign_extend);
	assert_false(x.abort.fetch || x.abort.walk || x.abort.cache_op);
}

struct expected_fault {
	enum fault fault;
	unsigned level;
};

/* DDI0487 D24.2.40, the table of DFSC, code by code. */
static struct expected_fault fault_of(unsigned code)
{
	static const enum fault by_level[4] = {
		FAULT_ADDRESS_SIZE, FAULT_TRANSLATION, FAULT_ACCESS_FLAG, FAULT_PERMISSION,
	};

	if (code < 16)
		return (struct expected_fault){ by_level[code / 4], code % 4 };
	if ((code >= 20 && code <= 23) || (code >= 28 && code <= 31))
		return (struct expected_fault){ FAULT_EXTERNAL, code % 4 };
	if (code == 16 || code == 18 || code == 19 || code == 24 || code == 27)
		return (struct expected_fault){ FAULT_EXTERNAL, 0 };
	if (code == 41 || code == 44)
		return (struct expected_fault){ FAULT_ADDRESS_SIZE, 0 };
	if (code == 42 || code == 43)
		return (struct expected_fault){ FAULT_TRANSLATION, 0 };
	return (struct expected_fault){ FAULT_OTHER, 0 };
}

static void check_place(const struct exit_abort *a, uint64_t esr, uint64_t far, uint64_t hpfar)
{
	bool walk = field(esr, 7, 7);
	bool fnv = field(esr, 10, 10) && field(esr, 5, 0) == 16;
	bool written = a->fault == FAULT_TRANSLATION || a->fault == FAULT_ADDRESS_SIZE ||
		       a->fault == FAULT_ACCESS_FLAG || (a->fault == FAULT_PERMISSION && walk);

	assert_int_equal(a->address_known, !fnv);
	assert_int_equal(a->far_only, !written);
	assert_true(a->far == far);
	assert_true(a->address.v == field(hpfar, 43, 4) * 4096 + (walk ? 0 : field(far, 11, 0)));
	assert_int_equal(a->walk, walk);
}

static void check_access(const struct exit_abort *a, uint64_t esr, bool data)
{
	bool syndrome = data && field(esr, 24, 24);
	bool cache_op = data && field(esr, 8, 8);

	assert_int_equal(a->fetch, !data);
	assert_int_equal(a->cache_op, cache_op);
	assert_int_equal(a->write, data && field(esr, 6, 6) && !cache_op && !a->walk);
	assert_int_equal(a->syndrome, syndrome);
	assert_int_equal(a->size, syndrome ? 1 << field(esr, 23, 22) : 0);
	assert_int_equal(a->sign_extend, syndrome && field(esr, 21, 21));
	assert_int_equal(a->reg, syndrome ? field(esr, 20, 16) : 0);
	assert_int_equal(a->wide, syndrome && field(esr, 15, 15));
}

/* Every fault code in both classes under random other bits. */
static void test_aborts(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (unsigned i = 0; i < 64 * 2 * 1000; i++) {
		bool data = i & 64;
		uint64_t iss = (test_random(&seed) & 0x1ffffc0) | (i & 63);
		uint64_t esr = (uint64_t)(data ? 0x24 : 0x20) << 26 | 1u << 25 | iss;
		uint64_t far = test_random(&seed), hpfar = test_random(&seed);
		struct exit x = decoded(esr, far, hpfar);
		struct expected_fault fault = fault_of(i & 63);

		assert_int_equal(x.kind, data ? EXIT_DATA_ABORT : EXIT_INSN_ABORT);
		assert_int_equal(x.abort.fault, fault.fault);
		assert_int_equal(x.abort.level, fault.level);
		check_place(&x.abort, esr, far, hpfar);
		check_access(&x.abort, esr, data);
		check_over(&x.abort, esr, far, hpfar);
	}
}

/* The short way says yes to nothing that is anything else, and then the same of where. */
static void test_plain_word(void **state)
{
	uint64_t seed = 3;
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < 400000; i++) {
		uint64_t iss = test_random(&seed) & 0x1ffffff;
		uint64_t esr = (uint64_t)(i & 7 ? 0x24 : i >> 3 & 63) << 26 | (uint64_t)(i & 15 ? 1 : 0) << 25 |
			       (i & 16 ? iss : (iss & ~0xe001bfull) | 0x1800004);
		uint64_t far = test_random(&seed), hpfar = test_random(&seed) & 0xfffffffff0;
		struct exit x = decoded(esr, far, hpfar);
		bool plain = x.kind == EXIT_DATA_ABORT && x.length == 4 && x.abort.syndrome && x.abort.size == 4 &&
			     !x.abort.sign_extend && !x.abort.cache_op && !x.abort.walk &&
			     x.abort.fault == FAULT_TRANSLATION && field(esr, 5, 2) == 1;

		assert_int_equal(esr_is_plain_word(esr), plain);
		if (!plain)
			continue;
		found++;
		assert_true(esr_plain_address(far, hpfar).v == x.abort.address.v);
		assert_int_equal(field(esr, 6, 6), x.abort.write);
		assert_int_equal(field(esr, 20, 16), x.abort.reg);
	}
	assert_true(found > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_class),
		cmocka_unit_test(test_upper_half_is_ignored),
		cmocka_unit_test(test_calls_and_waits),
		cmocka_unit_test(test_sysreg),
		cmocka_unit_test(test_known_data_abort),
		cmocka_unit_test(test_aborts),
		cmocka_unit_test(test_plain_word),
	};

	return cmocka_run_group_tests_name("esr", tests, NULL, NULL);
}
