/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ID registers promise a cell, and whether it can be had: a feature that is shown
 * is used, one that is not is left alone.
 */
#include "inmate.h"
#include "arm64/exception.h"
#include "arm64/sysreg.h"

#define WFIT_NS 100000000ull
#define CPACR_FPEN_ZEN_SMEN (3 << 20 | 3 << 16 | 3 << 24)

static unsigned int field(uint64_t value, unsigned int low)
{
	return value >> low & 15;
}

/* The length of its registers in bytes. Undefined: caught. */
static void use_sve(void)
{
	uint64_t length;

	__asm__ volatile(".inst 0x04bf5020\n\tmov %0, x0" : "=r"(length) :: "x0");	/* rdvl x0, #1 */
	printk("features: sve registers of %lu bytes\n", length);
}

static void use_sme(void)
{
	printk("features: svcr 0x%lx\n", sysreg_read(s3_3_c4_c2_2));
}

/* WFIT with a deadline and every interrupt masked returns when the deadline has passed. */
static void use_wfxt(void)
{
	uint64_t deadline = timer_now() + timer_ns_to_ticks(WFIT_NS);
	register uint64_t x0 __asm__("x0");

	printk("features: wfit begins\n");
	do {
		x0 = deadline;
		__asm__ volatile(".inst 0xd5031020" :: "r"(x0) : "memory");	/* wfit x0 */
	} while (timer_now() < deadline);
	printk("features: wfit returned\n");
}

static void use(unsigned int shown, const char *name, void (*what)(void))
{
	struct exception_catch c;

	if (!shown)
		return;
	exception_catch(&c);
	what();
	exception_release();
	if (c.count)
		printk("features: %s is shown and is not there: esr 0x%lx\n", name, c.esr);
}

void inmate_main(void)
{
	unsigned int sve = field(sysreg_read(id_aa64pfr0_el1), 32);
	unsigned int sme = field(sysreg_read(id_aa64pfr1_el1), 24);
	unsigned int wfxt = field(sysreg_read(s3_0_c0_c6_2), 0);	/* ID_AA64ISAR2_EL1 */

	printk("features: shown sve=%u sme=%u wfxt=%u\n", sve, sme, wfxt);
	sysreg_write(cpacr_el1, CPACR_FPEN_ZEN_SMEN);
	isb();
	use(sve, "sve", use_sve);
	use(sme, "sme", use_sme);
	use(wfxt, "wfxt", use_wfxt);
	printk("features: done\n");
	inmate_serve();
}
